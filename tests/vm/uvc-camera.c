/*
 * uvc-camera MEDIADIR [bad-every] [unit|unit=gop] [serial=TEXT] [port=N] [log=FILE]
 *
 * A USB Video Class 1.1 camera in user space: it attaches itself to this machine's vhci-hcd by USB/IP over a socket pair, so that the
 * kernel's own uvcvideo drives it. Isochronous, high speed. MJPG and H264 frames come from MEDIADIR, YUYV is a moving ramp.
 * With bad-every N each Nth frame carries the payload header's error bit. With unit it has the H.264 extension unit: keyframes and
 * bitrate on request, and a keyframe distance that is agreed on beforehand; unit=gop has only the latter. It has no serial number
 * unless one is given, sits on the first port of the controller, and writes what its encoder is told to the log. Ending the process
 * unplugs the camera; SIGUSR1 makes it fall silent while it still answers the host.
 *
 * References: USB Video Class 1.1, chapters 2.4 (payload), 3 (descriptors), 4 (requests); H.264 Payload Format 1.0, chapter 3.3
 * (extension unit); kernel documentation usb/usbip_protocol.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4, SPEED_HIGH = 3, DEVICE_ID = 0x10001 };
enum { SET_CUR = 0x01, GET_CUR = 0x81, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF };
enum { HEADER_EOH = 0x80, HEADER_ERR = 0x40, HEADER_EOF = 0x02 };
enum { PACKET_SIZE = 3 * 1024, PROBE_SIZE = 34, CLOCK_HZ = 48000000, MAX_FRAMES = 10000, VIDEO_STREAMING = 1, PROCESSING_UNIT = 2 };
enum { EXTENSION_UNIT = 4, CONFIG_PROBE = 1, CONFIG_COMMIT, PICTURE_TYPE = 9, BITRATE_LAYERS = 14, CONFIG_SIZE = 46, MAX_PERIOD = 2000 };

struct mode {
	int format, frame, width, height;
	const char *kind;
	uint32_t intervals[2]; /* 100 ns; the same twice if there is one */
	uint8_t *data;
	size_t offsets[MAX_FRAMES + 1];
	int frames;
};

static struct mode modes[] = {
	{ .format = 1, .frame = 1, .width = 640, .height = 480, .kind = "mjpg", .intervals = { 333333, 666666 } },
	{ .format = 1, .frame = 2, .width = 1280, .height = 720, .kind = "mjpg", .intervals = { 333333, 666666 } },
	{ .format = 2, .frame = 1, .width = 640, .height = 480, .kind = "yuyv", .intervals = { 333333, 666666 } },
	{ .format = 2, .frame = 2, .width = 1280, .height = 720, .kind = "yuyv", .intervals = { 1000000, 1000000 } },
	{ .format = 3, .frame = 1, .width = 640, .height = 480, .kind = "h264", .intervals = { 333333, 666666 } },
};
enum { MODES = sizeof modes / sizeof *modes };

struct urb {
	uint32_t seq, packets;
	uint32_t (*descriptors)[4]; /* offset, length, actual length, status; big-endian as on the wire */
	struct urb *next;
};

static int host;                       /* our end of the socket pair */
static struct urb *pending, **pending_end = &pending;
static struct mode *current;
static int streaming, bad_every, has_unit, only_gop, port;
static const char *serial = "";
static FILE *encoder_log;
static uint8_t encoder[CONFIG_SIZE];   /* the settings that were agreed on */
static int keyframe_wanted, keyframe_period; /* period in ms, 0: as the file has them */
static unsigned long since_keyframe, position;
static volatile sig_atomic_t silent;
static unsigned long frame_number;
static const uint8_t *frame_at;
static size_t frame_left;
static uint8_t frame_id;
static int64_t frame_due;              /* ns, CLOCK_MONOTONIC */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void send_all(const void *bytes, size_t count)
{
	for (const char *p = bytes; count;) {
		ssize_t sent = write(host, p, count);
		if (sent < 0 && errno != EINTR)
			die("uvc-camera: write");
		if (sent > 0) {
			p += sent;
			count -= sent;
		}
	}
}

static int receive_all(void *bytes, size_t count)
{
	for (char *p = bytes; count;) {
		ssize_t got = read(host, p, count);
		if (got == 0 || (got < 0 && errno != EINTR))
			return -1;
		if (got > 0) {
			p += got;
			count -= got;
		}
	}
	return 0;
}

/* --- descriptors ------------------------------------------------------------------------------------------------------------ */

static uint8_t device_descriptor[] = {
	18, 1, 0x00, 0x02, 0xef, 2, 1, 64, 0x09, 0x12, 0x01, 0x56, 0x00, 0x01, 1, 2, 3, 1,
};
static uint8_t configuration[1024];
static size_t configuration_length;

static void append(int size, uint32_t value)
{
	for (int i = 0; i < size; i++)
		configuration[configuration_length++] = value >> (8 * i);
}

static void append_bytes(int count, const uint8_t *bytes)
{
	memcpy(configuration + configuration_length, bytes, count);
	configuration_length += count;
}
#define APPEND(...) append_bytes(sizeof((uint8_t[]){ __VA_ARGS__ }), (uint8_t[]){ __VA_ARGS__ })

static void append_frames(int format, int subtype)
{
	for (struct mode *m = modes; m < modes + MODES; m++) {
		if (m->format != format)
			continue;
		int count = m->intervals[0] == m->intervals[1] ? 1 : 2;
		uint32_t bits = m->width * m->height * 16;
		APPEND(26 + 4 * count, 0x24, subtype, m->frame, 0);
		append(2, m->width);
		append(2, m->height);
		append(4, bits);
		append(4, bits * 30);
		if (subtype != 0x11)
			append(4, m->width * m->height * 2);
		append(4, m->intervals[0]);
		append(1, count);
		if (subtype == 0x11)
			append(4, 0);
		for (int i = 0; i < count; i++)
			append(4, m->intervals[i]);
	}
	APPEND(6, 0x24, 0x0d, 1, 1, 4); /* colour matching: BT.709 primaries and transfer, BT.601 matrix */
}

static void build_configuration(void)
{
	/* the tail of a media-subtype GUID, 0000-0010-8000-00aa00389b71 */
#define GUID_TAIL 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71
	APPEND(9, 2, 0, 0, 2, 1, 0, 0x80, 250);
	APPEND(8, 11, 0, 2, 14, 3, 0, 0);                         /* interface association: video */
	APPEND(9, 4, 0, 0, 0, 14, 1, 0, 0);                       /* VideoControl interface */
	APPEND(13, 0x24, 1, 0x10, 0x01, 13 + 18 + 12 + 9 + (has_unit ? 27 : 0), 0);
	append(4, CLOCK_HZ);
	APPEND(1, VIDEO_STREAMING);
	APPEND(18, 0x24, 2, 1, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0); /* camera terminal */
	APPEND(12, 0x24, 5, PROCESSING_UNIT, 1, 0, 0, 2, 0x03, 0x00, 0, 0);     /* brightness, contrast */
	if (has_unit)
		APPEND(27, 0x24, 6, EXTENSION_UNIT, 0x41, 0x76, 0x9e, 0xa2, 0x04, 0xde, 0xe3, 0x47, 0x8b, 0x2b, 0xf4, 0x34, 0x1a, 0xff,
			0x00, 0x3b, only_gop ? 2 : 4, 1, PROCESSING_UNIT, 2, 0x03, only_gop ? 0 : 0x21, 0);
	APPEND(9, 0x24, 3, 3, 0x01, 0x01, 0, has_unit ? EXTENSION_UNIT : PROCESSING_UNIT, 0); /* output terminal */
	APPEND(9, 4, VIDEO_STREAMING, 0, 0, 14, 2, 0, 0);         /* VideoStreaming, no bandwidth */
	size_t streaming_header = configuration_length;
	APPEND(13 + 3, 0x24, 1, 3, 0, 0, 0x81, 0, 3, 0, 0, 0, 1, 0, 0, 0);
	APPEND(11, 0x24, 6, 1, 2, 0, 1, 0, 0, 0, 0);
	append_frames(1, 7);
	APPEND(27, 0x24, 4, 2, 2, 'Y', 'U', 'Y', '2', GUID_TAIL, 16, 1, 0, 0, 0, 0);
	append_frames(2, 5);
	APPEND(28, 0x24, 0x10, 3, 1, 'H', '2', '6', '4', GUID_TAIL, 16, 1, 0, 0, 0, 0, 1);
	append_frames(3, 0x11);
	size_t total = configuration_length - streaming_header;
	configuration[streaming_header + 4] = total;
	configuration[streaming_header + 5] = total >> 8;
	APPEND(9, 4, VIDEO_STREAMING, 1, 1, 14, 2, 0, 0);         /* VideoStreaming, full bandwidth */
	APPEND(7, 5, 0x81, 5, 0x00, 0x14, 1);                     /* isochronous, asynchronous, 3 x 1024 each microframe */
	configuration[2] = configuration_length;
	configuration[3] = configuration_length >> 8;
}

/* --- requests --------------------------------------------------------------------------------------------------------------- */

static uint8_t probe[PROBE_SIZE];
static uint32_t interval;

static uint32_t get32(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

static void put32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = value >> (8 * i);
}

/* Makes a wish of the host one that this camera can fulfil. */
static struct mode *settle(uint8_t *wish)
{
	struct mode *chosen = modes;
	for (struct mode *m = modes; m < modes + MODES; m++)
		if (m->format == wish[2] && (m->frame == wish[3] || chosen->format != wish[2]))
			chosen = m;
	wish[2] = chosen->format;
	wish[3] = chosen->frame;
	put32(wish + 4, get32(wish + 4) > chosen->intervals[0] ? chosen->intervals[1] : chosen->intervals[0]);
	put32(wish + 18, chosen->width * chosen->height * 2);
	put32(wish + 22, PACKET_SIZE);
	put32(wish + 26, CLOCK_HZ);
	wish[30] = 3;
	return chosen;
}

static void say(const char *what, uint32_t value)
{
	if (encoder_log) {
		fprintf(encoder_log, "%s %u\n", what, value);
		fflush(encoder_log);
	}
}

/* A request to the H.264 extension unit; as control(). */
static int encoder_control(int selector, int request, const uint8_t *out, uint8_t *answer)
{
	int size = selector == PICTURE_TYPE ? 4 : selector == BITRATE_LAYERS ? 10 : CONFIG_SIZE;
	if (only_gop && selector > CONFIG_COMMIT)
		return -1;
	memset(answer, 0, size);
	switch (request) {
	case GET_LEN:
		return answer[0] = size, 2;
	case GET_INFO:
		return answer[0] = selector == CONFIG_COMMIT ? 2 : 3, 1;
	case SET_CUR:
		if (selector == PICTURE_TYPE && out[2] == 2) {
			keyframe_wanted = 1;
			say("keyframe", 1);
		} else if (selector == BITRATE_LAYERS) {
			say("bitrate", get32(out + 6));
		} else if (selector == CONFIG_PROBE || selector == CONFIG_COMMIT) {
			memcpy(encoder, out, CONFIG_SIZE);
			int period = encoder[22] | encoder[23] << 8; /* wIFramePeriod */
			period = period > MAX_PERIOD ? MAX_PERIOD : period;
			encoder[22] = period;
			encoder[23] = period >> 8;
			if (selector == CONFIG_COMMIT) {
				keyframe_period = period;
				say("period", period);
				say("bitrate", get32(encoder + 4));
			}
		}
		return 0;
	default:
		memcpy(answer, encoder, selector <= CONFIG_COMMIT ? CONFIG_SIZE : 0);
		return size;
	}
}

/* Answers a control request; returns the length of the answer, or -1 for a stall. */
static int control(const uint8_t *setup, const uint8_t *out, uint8_t *answer)
{
	const char *strings[] = { "", "camera tests", "UVC test camera", serial };
	static int16_t levels[2] = { 0, 32 };
	int type = setup[0], request = setup[1], value = setup[2] | setup[3] << 8, index = setup[4] | setup[5] << 8;
	int interface = index & 0xff, unit = index >> 8, selector = value >> 8;

	if (type == 0x80 && request == 6 && value >> 8 == 1) { /* GET_DESCRIPTOR device */
		memcpy(answer, device_descriptor, sizeof device_descriptor);
		return sizeof device_descriptor;
	}
	if (type == 0x80 && request == 6 && value >> 8 == 2) { /* configuration */
		memcpy(answer, configuration, configuration_length);
		return configuration_length;
	}
	if (type == 0x80 && request == 6 && value >> 8 == 3 && (value & 0xff) < 4) { /* string */
		const char *text = strings[value & 0xff];
		int length = 2;
		for (answer[1] = 3; *text; text++) {
			answer[length++] = *text;
			answer[length++] = 0;
		}
		if (length == 2) { /* language: US English */
			answer[length++] = 0x09;
			answer[length++] = 0x04;
		}
		return answer[0] = length;
	}
	if ((type & 0xe0) == 0x80 && request == 0) { /* GET_STATUS */
		answer[0] = answer[1] = 0;
		return 2;
	}
	if ((type & 0xe0) == 0) { /* the other standard requests towards the device; SET_INTERFACE starts and stops */
		if (type == 1 && request == 11 && interface == VIDEO_STREAMING) {
			streaming = value != 0;
			frame_left = 0;
			frame_due = now_ns();
		}
		return 0;
	}
	if (interface == VIDEO_STREAMING && (selector == 1 || selector == 2)) { /* VS_PROBE_CONTROL, VS_COMMIT_CONTROL */
		if (request == SET_CUR) {
			memcpy(probe, out, PROBE_SIZE);
			current = settle(probe);
			interval = get32(probe + 4);
			return 0;
		}
		memcpy(answer, probe, PROBE_SIZE);
		settle(answer);
		if (request == GET_LEN)
			return answer[0] = PROBE_SIZE, answer[1] = 0, 2;
		if (request == GET_INFO)
			return answer[0] = 3, 1;
		return PROBE_SIZE;
	}
	if (interface == 0 && has_unit && unit == EXTENSION_UNIT)
		return encoder_control(selector, request, out, answer);
	if (interface == 0 && unit == PROCESSING_UNIT && (selector == 2 || selector == 3)) { /* brightness, contrast */
		int16_t *level = &levels[selector - 2], result = *level;
		switch (request) {
		case SET_CUR: memcpy(level, out, 2); return 0;
		case GET_MIN: result = selector == 2 ? -64 : 0; break;
		case GET_MAX: result = 64; break;
		case GET_RES: result = 1; break;
		case GET_DEF: result = selector == 2 ? 0 : 32; break;
		case GET_LEN: result = 2; break;
		case GET_INFO: answer[0] = 3; return 1;
		}
		memcpy(answer, &result, 2);
		return 2;
	}
	return -1;
}

/* --- transfers -------------------------------------------------------------------------------------------------------------- */

static uint8_t reply[1 << 20];

static void send_reply(uint32_t seq, int status, const void *data, uint32_t length, uint32_t actual, const void *packets, uint32_t count)
{
	uint32_t header[12] = { htonl(RET_SUBMIT), htonl(seq), 0, 0, 0, htonl(status), htonl(actual), 0, htonl(count) };
	memcpy(reply, header, sizeof header);
	memcpy(reply + sizeof header, data, length);
	memcpy(reply + sizeof header + length, packets, count * 16);
	send_all(reply, sizeof header + length + count * 16);
}

static void next_frame(void)
{
	frame_number++;
	frame_id ^= 1;
	if (current->frames) {
		/* The file begins with a keyframe, and no frame needs one from before the last keyframe. */
		since_keyframe++;
		position = (position + 1) % current->frames;
		if (current->kind[0] == 'h' && (keyframe_wanted || (keyframe_period && since_keyframe * interval >= keyframe_period * 10000UL)))
			position = keyframe_wanted = 0;
		since_keyframe = position ? since_keyframe : 0;
		int k = position;
		frame_at = current->data + current->offsets[k];
		frame_left = current->offsets[k + 1] - current->offsets[k];
		return;
	}
	static uint8_t ramp[1280 * 720 * 2];
	for (int i = 0; i < current->width * current->height; i++) {
		ramp[2 * i] = i % current->width + 4 * frame_number;
		ramp[2 * i + 1] = 128;
	}
	frame_at = ramp;
	frame_left = current->width * current->height * 2;
}

/* Fills one waiting transfer with packets of the current frame. */
static void complete_transfer(void)
{
	static uint8_t data[1 << 19];
	struct urb *urb = pending;
	uint32_t length = 0;
	for (uint32_t i = 0; i < urb->packets; i++) {
		uint32_t room = ntohl(urb->descriptors[i][1]), used = 0;
		if (frame_left && length + room <= sizeof data) {
			size_t part = frame_left < room - 2 ? frame_left : room - 2;
			memcpy(data + length + 2, frame_at, part);
			frame_at += part;
			frame_left -= part;
			data[length] = 2;
			data[length + 1] = HEADER_EOH | frame_id | (frame_left ? 0 : HEADER_EOF)
				| (bad_every && frame_number % bad_every == 0 ? HEADER_ERR : 0);
			used = part + 2;
		}
		urb->descriptors[i][2] = htonl(used);
		urb->descriptors[i][3] = 0;
		length += used;
	}
	send_reply(urb->seq, 0, data, length, length, urb->descriptors, urb->packets);
	pending = urb->next;
	if (!pending)
		pending_end = &pending;
	free(urb->descriptors);
	free(urb);
}

/* Sends what is due; returns the milliseconds until there is something to do, -1 for never. */
static int pump(void)
{
	while (streaming && !silent && pending) {
		int64_t wait = frame_due - now_ns();
		if (!frame_left && wait > 0)
			return wait / 1000000 + 1;
		if (!frame_left) {
			next_frame();
			/* A camera does not catch up: after a pause it goes on from now. */
			frame_due += (wait < -500000000 ? -wait : 0) + interval * 100LL;
		}
		complete_transfer();
	}
	return -1;
}

static void submit(const uint32_t *header)
{
	static uint8_t out[65536], answer[1024];
	uint32_t seq = ntohl(header[1]), in = ntohl(header[3]), endpoint = ntohl(header[4]), length = ntohl(header[6]), packets = ntohl(header[8]);
	const uint8_t *setup = (const uint8_t *)&header[10];
	if (packets == 0xffffffff)
		packets = 0;
	if (!in && length && (length > sizeof out || receive_all(out, length)))
		die("uvc-camera: request data");
	if (endpoint == 0) {
		int count = control(setup, out, answer), wanted = setup[6] | setup[7] << 8;
		if (count > wanted)
			count = wanted;
		send_reply(seq, count < 0 ? -EPIPE : 0, answer, in && count > 0 ? count : 0, count < 0 ? 0 : in ? count : (int)length, "", 0);
		return;
	}
	struct urb *urb = calloc(1, sizeof *urb);
	urb->seq = seq;
	urb->packets = packets;
	urb->descriptors = malloc(packets * 16 + 1);
	if (receive_all(urb->descriptors, packets * 16))
		die("uvc-camera: packet descriptors");
	*pending_end = urb;
	pending_end = &urb->next;
}

static void unlink_urb(uint32_t seq, uint32_t victim)
{
	int status = 0;
	for (struct urb **p = &pending; *p; p = &(*p)->next) {
		struct urb *urb = *p;
		if (urb->seq != victim)
			continue;
		*p = urb->next;
		if (!urb->next)
			pending_end = p;
		free(urb->descriptors);
		free(urb);
		status = -ECONNRESET;
		break;
	}
	uint32_t answer[12] = { htonl(RET_UNLINK), htonl(seq), 0, 0, 0, htonl(status) };
	send_all(answer, sizeof answer);
}

/* --- set-up ----------------------------------------------------------------------------------------------------------------- */

/* Reads MEDIADIR/KIND-WxH and finds where frames begin: at SOI (JPEG), at the access unit delimiter (H.264 Annex B). */
static void load(struct mode *m, const char *directory)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s-%dx%d", directory, m->kind, m->width, m->height);
	FILE *file = fopen(path, "rb");
	if (!file)
		die(path);
	m->data = malloc(64 << 20);
	size_t size = fread(m->data, 1, 64 << 20, file);
	fclose(file);
	const uint8_t *start = (const uint8_t *)(m->kind[0] == 'm' ? "\xff\xd8\xff" : "\0\0\0\1\x09");
	size_t length = m->kind[0] == 'm' ? 3 : 5;
	for (size_t i = 0; i + length <= size && m->frames < MAX_FRAMES; i++)
		if (!memcmp(m->data + i, start, length))
			m->offsets[m->frames++] = i;
	m->offsets[m->frames] = size;
	if (!m->frames) {
		fprintf(stderr, "uvc-camera: no frames in %s\n", path);
		exit(1);
	}
}

static void plug_in(void)
{
	int pair[2], size = 4 << 20;
	char line[64];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("uvc-camera: socketpair");
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	int attach = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY);
	int length = snprintf(line, sizeof line, "%d %d %d %d", port, pair[1], DEVICE_ID + port, SPEED_HIGH);
	if (attach < 0 || write(attach, line, length) != length)
		die("uvc-camera: vhci_hcd attach");
	close(attach);
	close(pair[1]);
	host = pair[0];
}

static void fall_silent(int signal)
{
	(void)signal;
	silent = 1;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: uvc-camera MEDIADIR [bad-every] [unit|unit=gop] [serial=TEXT] [port=N] [log=FILE]\n");
		return 2;
	}
	for (char **option = argv + 2; *option; option++) {
		has_unit |= !strncmp(*option, "unit", 4);
		only_gop |= !strcmp(*option, "unit=gop");
		if (!strncmp(*option, "serial=", 7))
			serial = *option + 7;
		else if (!strncmp(*option, "port=", 5))
			port = atoi(*option + 5);
		else if (!strncmp(*option, "log=", 4))
			encoder_log = fopen(*option + 4, "w");
		else if (!has_unit)
			bad_every = atoi(*option);
	}
	device_descriptor[16] = *serial ? 3 : 0; /* iSerialNumber */
	for (struct mode *m = modes; m < modes + MODES; m++)
		if (m->kind[0] != 'y')
			load(m, argv[1]);
	build_configuration();
	current = settle(probe);
	interval = get32(probe + 4);
	signal(SIGUSR1, fall_silent);
	signal(SIGPIPE, SIG_IGN);
	plug_in();
	for (;;) {
		struct pollfd p = { .fd = host, .events = POLLIN };
		uint32_t header[12];
		if (poll(&p, 1, pump()) <= 0)
			continue;
		if (receive_all(header, sizeof header))
			return 0; /* the host has let go */
		if (ntohl(header[0]) == CMD_SUBMIT)
			submit(header);
		else if (ntohl(header[0]) == CMD_UNLINK)
			unlink_urb(ntohl(header[1]), ntohl(header[5]));
	}
}
