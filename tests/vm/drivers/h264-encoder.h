/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stateful H.264 encoder without hardware, for tests: the kernel document "Memory-to-Memory Stateful Video Encoder Interface" on
 * v4l2-mem2mem, with the formats, alignments and control ranges of the Raspberry Pi's bcm2835-codec encoder. What it writes is lossless
 * (h264-pcm.h), so that a test can compare every decoded sample. README.md lists the module parameters; they reach all open files.
 */
#ifndef H264_ENCODER_H
#define H264_ENCODER_H

#include <media/media-device.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>

#define ENCODER_DRIVER "h264-encoder"
#define ENCODER_BUS "platform:" ENCODER_DRIVER
#define ENCODER_CARD "camera-agent test H.264 encoder"
/* pixel formats that raw_formats lists */
#define RAW_FORMATS 3

/* module parameters */
extern unsigned int stride_align, height_align, coded_size, delay_ms, fail_frames, frames_mmap, frames_dmabuf;
extern bool stall, io_error;

struct raw_format {
	u32 fourcc;
	u32 stride_align;
	/* bytes of a luma sample's column, and bytes of a picture as eighths of stride × height */
	u32 bytes_per_column;
	u32 size_eighths;
};

struct encoder {
	struct v4l2_device v4l2_dev;
	struct media_device media_dev;
	struct video_device vdev;
	struct v4l2_m2m_dev *m2m_dev;
	struct platform_device *pdev;
	struct mutex ioctl_lock;
	const struct raw_format *formats[RAW_FORMATS];
	unsigned int format_count;
};

/* One open file: an encoder instance. */
struct instance {
	struct v4l2_fh fh;
	struct encoder *encoder;
	struct v4l2_ctrl_handler controls;
	struct v4l2_ctrl *bitrate, *gop_size, *repeat_headers, *header_mode, *profile, *level;

	/* the OUTPUT format, and CAPTURE's, which follows it */
	const struct raw_format *raw;
	u32 width, height, stride, raw_size, coded_size;
	u32 colorspace, xfer_func, ycbcr_enc, quantization;
	struct v4l2_rect crop;
	struct v4l2_fract time_per_frame;

	/* owned by the work, and by stream start and stop while it cannot run */
	struct delayed_work work;
	u8 *reference; /* the last picture written, macroblock after macroblock */
	size_t reference_size;
	u32 frames, frame_num, idr_pic_id, since_idr;
	u32 output_sequence, capture_sequence;
	bool headers_due;

	bool idr_due; /* set by FORCE_KEY_FRAME too */
	bool aborting; /* the running job is to end without a frame */
	bool failed; /* after io_error, until STREAMOFF */
	struct mutex finish_lock; /* keeps STOP from looking at the queues while a frame leaves them */
};

static inline struct instance *to_instance(struct file *file)
{
	return container_of(file->private_data, struct instance, fh);
}

static inline void queue_eos_event(struct instance *in)
{
	static const struct v4l2_event eos = { .type = V4L2_EVENT_EOS };

	v4l2_event_queue_fh(&in->fh, &eos);
}

/* h264-encoder-formats.c */
extern const struct v4l2_ioctl_ops encoder_ioctl_ops;
/* Gives the instance the format that it has before S_FMT. */
void encoder_default_format(struct instance *in);
/* Takes the OUTPUT formats from fourcc codes between commas, the first one the default. Returns 0 or -EINVAL. */
int encoder_parse_formats(struct encoder *encoder, const char *text);

/* h264-encoder-queues.c */
extern const struct v4l2_m2m_ops encoder_m2m_ops;
void encoder_work(struct work_struct *work);
int encoder_init_queues(void *priv, struct vb2_queue *src, struct vb2_queue *dst);

/* h264-encoder-picture.c */
/* Bytes that hold any access unit, and samples of the reference picture, of a visible size. */
u32 encoder_worst_coded_size(u32 width, u32 height);
size_t encoder_reference_size(u32 width, u32 height);
/*
 * Write src's access unit, or the parameter sets alone, into dst and set its payload. Return false when they cannot, for want of room or
 * of data; the next picture is an IDR picture then.
 */
bool encoder_write_picture(struct instance *in, struct vb2_v4l2_buffer *src, struct vb2_v4l2_buffer *dst);
bool encoder_write_headers(struct instance *in, struct vb2_v4l2_buffer *dst);

#endif
