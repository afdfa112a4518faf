/*
 * Runs libsrtp as a peer. Arguments: "aes-cm" or "aes-gcm", then master key and salt in hex.
 * Each line of input is "protect|unprotect rtp|rtcp <hex>"; each line of output the resulting packet in hex, or "error <status>".
 */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET_SIZE = 2048 };

static int from_hex(const char *hex, unsigned char *bytes)
{
    int length = (int)strlen(hex) / 2;
    for (int i = 0; i < length; i++) {
        unsigned value;
        if (sscanf(hex + 2 * i, "%2x", &value) != 1)
            exit(2);
        bytes[i] = (unsigned char)value;
    }
    return length;
}

static srtp_t create(const char *profile, unsigned char *key, srtp_ssrc_type_t type)
{
    srtp_policy_t policy = { 0 };
    srtp_t session;
    if (strcmp(profile, "aes-gcm") == 0) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    }
    policy.ssrc.type = type;
    policy.key = key;
    policy.window_size = 128;
    policy.allow_repeat_tx = 1;
    if (srtp_create(&session, &policy) != srtp_err_status_ok)
        exit(3);
    return session;
}

int main(int argc, char **argv)
{
    static char line[3 * PACKET_SIZE], operation[16], kind[8], hex[2 * PACKET_SIZE + 1];
    unsigned char key[64] = { 0 };
    if (argc != 3 || srtp_init() != srtp_err_status_ok)
        return 1;
    from_hex(argv[2], key);
    srtp_t sender = create(argv[1], key, ssrc_any_outbound);
    srtp_t receiver = create(argv[1], key, ssrc_any_inbound);
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%15s %7s %4096s", operation, kind, hex) == 3) {
        unsigned char packet[PACKET_SIZE + SRTP_MAX_TRAILER_LEN];
        int length = from_hex(hex, packet), rtcp = strcmp(kind, "rtcp") == 0;
        srtp_err_status_t status = strcmp(operation, "protect") == 0
            ? (rtcp ? srtp_protect_rtcp(sender, packet, &length) : srtp_protect(sender, packet, &length))
            : (rtcp ? srtp_unprotect_rtcp(receiver, packet, &length) : srtp_unprotect(receiver, packet, &length));
        if (status != srtp_err_status_ok) {
            printf("error %d\n", status);
        } else {
            for (int i = 0; i < length; i++)
                printf("%02x", packet[i]);
            putchar('\n');
        }
        fflush(stdout);
    }
    return 0;
}
