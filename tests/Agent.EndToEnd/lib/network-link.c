// A wire between two network namespaces that can be as bad as a network gets: every frame that one end sends (UDP, TCP, ARP) is read from a
// TAP device and written to the other end's, late, or never. For kernels without netem; lib/impairment.mjs builds and drives it.
//
//   network-link SEED NETNS-A DEVICE-A NETNS-B DEVICE-B
//
// A NETNS is a path such as /proc/PID/ns/net. Commands come on standard input, one a line; each is answered by one line:
//   DIRECTION KEY=VALUE...   DIRECTION: ab, ba or both. Keys (0 turns one off):
//                            delay, jitter, queue: milliseconds; loss, reorder: shares from 0 to 1; burst: frames; rate: bit/s
//   statistics               counters of both directions as JSON
// The end of standard input ends the program, and with it the devices.
//
// As in netem, jitter keeps the order of frames, and reordered frames are those that skip the delay. Each direction has a generator of its
// own, so that what is sent one way does not change what is lost the other way. ARP is delayed and never lost: a lost ARP request costs a
// second, which no network between two routers would.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    MaximumFrame = ETH_FRAME_LEN + 4,
    MaximumFramesInFlight = 65536,
    ReadsPerTurn = 64, // so that frames that are due do not wait for a flood to end
};

static const double NanosecondsPerMillisecond = 1e6;
static const double NanosecondsPerSecond = 1e9;

typedef struct {
    // nanoseconds
    double delay, jitter, queue;
    // shares
    double loss, reorder;
    double burst; // mean number of frames lost in a row; 0: each for itself
    double rate;  // bit/s
    uint64_t generator;
    bool isLosing; // within a burst
    double lineFreeAt, lastDueAt;
    unsigned long long received, lost, overflowed, delivered, bytesDelivered;
} Direction;

typedef struct {
    double dueAt;
    uint64_t sequence;
    int direction;
    ssize_t length;
    uint8_t data[];
} Frame;

static Direction directions[2];
static int devices[2];
static Frame *inFlight[MaximumFramesInFlight]; // a binary heap, what is due next first
static int inFlightCount;
static uint64_t nextSequence;

static void fail(const char *what) {
    fprintf(stderr, "network-link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * NanosecondsPerSecond + time.tv_nsec;
}

// xorshift64* (Vigna 2016), from 0 to 1.
static double drawShare(Direction *direction) {
    uint64_t x = direction->generator;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    direction->generator = x;
    return (double)((x * 0x2545F4914F6CDD1DULL) >> 11) / (double)(1ULL << 53);
}

static bool isBefore(const Frame *a, const Frame *b) {
    return a->dueAt < b->dueAt || (a->dueAt == b->dueAt && a->sequence < b->sequence);
}

static void push(Frame *frame) {
    int at = inFlightCount++;
    for (; at > 0 && isBefore(frame, inFlight[(at - 1) / 2]); at = (at - 1) / 2)
        inFlight[at] = inFlight[(at - 1) / 2];
    inFlight[at] = frame;
}

static Frame *pop(void) {
    Frame *first = inFlight[0], *moved = inFlight[--inFlightCount];
    int at = 0;
    for (;;) {
        int child = 2 * at + 1;
        if (child >= inFlightCount)
            break;
        if (child + 1 < inFlightCount && isBefore(inFlight[child + 1], inFlight[child]))
            child++;
        if (!isBefore(inFlight[child], moved))
            break;
        inFlight[at] = inFlight[child];
        at = child;
    }
    inFlight[at] = moved;
    return first;
}

// Independent losses, or Gilbert's model: a burst begins so often that `loss` of all frames are lost, and lasts `burst` frames on average.
static bool isLost(Direction *direction) {
    if (direction->burst <= 1)
        return drawShare(direction) < direction->loss;
    if (direction->isLosing)
        direction->isLosing = drawShare(direction) >= 1 / direction->burst;
    else
        direction->isLosing = drawShare(direction) < direction->loss / (direction->burst * (1 - direction->loss));
    return direction->isLosing;
}

static void take(int from, const uint8_t *data, ssize_t length, double at) {
    Direction *direction = &directions[from];
    direction->received++;
    const struct ethhdr *header = (const struct ethhdr *)data;
    bool isArp = length >= (ssize_t)sizeof *header && header->h_proto == __builtin_bswap16(ETH_P_ARP);
    if (direction->loss > 0 && !isArp && isLost(direction)) {
        direction->lost++;
        return;
    }

    double sentAt = at;
    if (direction->rate > 0) {
        if (direction->lineFreeAt < at)
            direction->lineFreeAt = at;
        if (direction->lineFreeAt - at > direction->queue || inFlightCount == MaximumFramesInFlight) {
            direction->overflowed++;
            return;
        }
        direction->lineFreeAt += length * 8 * NanosecondsPerSecond / direction->rate;
        sentAt = direction->lineFreeAt;
    }
    if (inFlightCount == MaximumFramesInFlight) {
        direction->overflowed++;
        return;
    }

    double dueAt = sentAt;
    if (direction->reorder == 0 || drawShare(direction) >= direction->reorder) {
        dueAt += direction->delay;
        if (direction->jitter > 0)
            dueAt += (drawShare(direction) * 2 - 1) * direction->jitter;
        if (dueAt < direction->lastDueAt)
            dueAt = direction->lastDueAt;
        direction->lastDueAt = dueAt;
    }

    Frame *frame = malloc(sizeof *frame + length);
    if (frame == NULL)
        fail("malloc");
    *frame = (Frame){.dueAt = dueAt, .sequence = nextSequence++, .direction = from, .length = length};
    memcpy(frame->data, data, length);
    push(frame);
}

static void deliverDue(void) {
    while (inFlightCount > 0 && inFlight[0]->dueAt <= now()) {
        Frame *frame = pop();
        // A device that is down refuses frames, as an unplugged wire does.
        if (write(devices[1 - frame->direction], frame->data, frame->length) == frame->length) {
            directions[frame->direction].delivered++;
            directions[frame->direction].bytesDelivered += frame->length;
        }
        free(frame);
    }
}

static void readFrames(int from) {
    uint8_t data[MaximumFrame];
    for (int i = 0; i < ReadsPerTurn; i++) {
        ssize_t length = read(devices[from], data, sizeof data);
        if (length <= 0)
            return;
        take(from, data, length, now());
    }
}

static int openNamespace(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        fail(path);
    return file;
}

static int openDevice(int namespace, const char *name) {
    if (setns(namespace, CLONE_NEWNET) != 0)
        fail("setns");
    close(namespace);
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0)
        fail("/dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(device, TUNSETIFF, &request) != 0)
        fail("TUNSETIFF");
    return device;
}

static const char *set(Direction *direction, const char *key, double value) {
    if (!(value >= 0))
        return "values are numbers from 0";
    double milliseconds = value * NanosecondsPerMillisecond;
    if (strcmp(key, "delay") == 0)
        direction->delay = milliseconds;
    else if (strcmp(key, "jitter") == 0)
        direction->jitter = milliseconds;
    else if (strcmp(key, "queue") == 0)
        direction->queue = milliseconds;
    else if (strcmp(key, "burst") == 0)
        direction->burst = value;
    else if (strcmp(key, "rate") == 0)
        direction->rate = value;
    else if (strcmp(key, "loss") == 0 && value <= 1)
        direction->loss = value;
    else if (strcmp(key, "reorder") == 0 && value <= 1)
        direction->reorder = value;
    else
        return "no such key, or not a share";
    return NULL;
}

static const char *setAll(const char *which, char *settings) {
    bool both = strcmp(which, "both") == 0;
    if (!both && strcmp(which, "ab") != 0 && strcmp(which, "ba") != 0)
        return "a command is statistics, or begins with ab, ba or both";
    for (char *setting; (setting = strsep(&settings, " ")) != NULL;) {
        char *value = strchr(setting, '='), *end;
        if (value == NULL)
            return "settings are KEY=VALUE";
        *value++ = '\0';
        double number = strtod(value, &end);
        if (end == value || *end != '\0')
            return "values are numbers from 0";
        for (int i = 0; i < 2; i++) {
            const char *error = both || i == (which[0] == 'b') ? set(&directions[i], setting, number) : NULL;
            if (error != NULL)
                return error;
        }
    }
    return NULL;
}

static void printStatistics(void) {
    for (int i = 0; i < 2; i++) {
        const Direction *direction = &directions[i];
        printf("%s\"%s\":{\"received\":%llu,\"lost\":%llu,\"overflowed\":%llu,\"delivered\":%llu,\"bytesDelivered\":%llu}", i == 0 ? "{" : ",",
               i == 0 ? "ab" : "ba", direction->received, direction->lost, direction->overflowed, direction->delivered,
               direction->bytesDelivered);
    }
    puts("}");
}

static void run(char *command) {
    if (strcmp(command, "statistics") == 0) {
        printStatistics();
    } else {
        char *which = strsep(&command, " ");
        const char *error = setAll(which, command);
        if (error == NULL)
            puts("ok");
        else
            printf("error: %s\n", error);
    }
    fflush(stdout);
}

// False at the end of the input.
static bool readCommands(void) {
    static char input[4096];
    static size_t used;
    ssize_t count = read(STDIN_FILENO, input + used, sizeof input - 1 - used);
    if (count <= 0)
        return false;
    used += count;
    input[used] = '\0';
    char *rest = input;
    for (char *end; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
        *end = '\0';
        run(rest);
    }
    used = strlen(rest);
    memmove(input, rest, used);
    return true;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: network-link SEED NETNS-A DEVICE-A NETNS-B DEVICE-B\n");
        return 2;
    }
    uint64_t seed = strtoull(arguments[1], NULL, 10);
    // Both before the first is entered: /proc/self means another one from then on.
    int namespaces[] = {openNamespace(arguments[2]), openNamespace(arguments[4])};
    for (int i = 0; i < 2; i++) {
        devices[i] = openDevice(namespaces[i], arguments[3 + 2 * i]);
        directions[i].generator = (seed + 1) * 0x9E3779B97F4A7C15ULL + i * 0xBF58476D1CE4E5B9ULL; // never 0 for a seed that anyone would choose
    }
    // Late frames are this program's only fault; without the privilege it runs as everything else does.
    setpriority(PRIO_PROCESS, 0, -20);
    puts("ready");
    fflush(stdout);

    struct pollfd files[] = {{devices[0], POLLIN, 0}, {devices[1], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        deliverDue();
        double wait = inFlightCount > 0 ? inFlight[0]->dueAt - now() : NanosecondsPerSecond;
        if (wait < 0)
            wait = 0;
        struct timespec timeout = {.tv_sec = wait / NanosecondsPerSecond};
        timeout.tv_nsec = wait - timeout.tv_sec * NanosecondsPerSecond;
        if (ppoll(files, 3, &timeout, NULL) < 0)
            fail("ppoll");
        for (int i = 0; i < 2; i++) {
            if (files[i].revents & (POLLERR | POLLHUP))
                return 0; // the namespace went away, and the device with it
            if (files[i].revents & POLLIN)
                readFrames(i);
        }
        if (files[2].revents != 0 && !readCommands())
            return 0;
    }
}
