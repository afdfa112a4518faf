// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stateful H.264 encoder without hardware, for tests: the kernel document "Memory-to-Memory Stateful Video Encoder Interface" on
 * v4l2-mem2mem, with the formats, alignments and control ranges of the Raspberry Pi's bcm2835-codec encoder. What it writes is lossless
 * (h264-pcm.h), so that a test can compare every decoded sample. README.md lists the module parameters; they reach all open files.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <media/media-device.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-vmalloc.h>
#include "h264-pcm.h"

MODULE_DESCRIPTION("V4L2 stateful H.264 encoder for tests");
MODULE_LICENSE("GPL");

#define ENCODER_DRIVER "h264-encoder"
#define ENCODER_BUS "platform:" ENCODER_DRIVER
#define ENCODER_CARD "camera-agent test H.264 encoder"

/* bcm2835-codec's limits: sizes, bit rate and key frame interval */
#define MIN_SIZE 32U
#define MAX_SIZE 1920U
#define SIZE_STEP 2U
#define MIN_BITRATE 25000
#define MAX_BITRATE 25000000
#define DEFAULT_BITRATE 10000000
#define DEFAULT_GOP 60

#define MAX_BYTES_PER_LINE 8192U
/* How often a stalled frame looks whether it may go on. */
#define STALL_POLL_MS 20

static int video_nr = -1;
module_param(video_nr, int, 0444);
MODULE_PARM_DESC(video_nr, "number of the /dev/video node; -1 is the first free one");

static char *formats = "NV12,YU12";
module_param(formats, charp, 0444);
MODULE_PARM_DESC(formats, "OUTPUT pixel formats, of NV12, YU12 and YUYV");

static unsigned int stride_align;
module_param(stride_align, uint, 0444);
MODULE_PARM_DESC(stride_align, "bytesperline is a multiple of this power of two; 0 is the Pi's: 32 for NV12, 64 for others");

static unsigned int height_align = 16;
module_param(height_align, uint, 0444);
MODULE_PARM_DESC(height_align, "the OUTPUT height is a multiple of this power of two");

static unsigned int coded_size;
module_param(coded_size, uint, 0644);
MODULE_PARM_DESC(coded_size, "sizeimage of coded buffers, set before S_FMT; 0 is what every frame fits in");

static unsigned int delay_ms = 10;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "milliseconds that a frame takes");

static unsigned int fail_frames;
module_param(fail_frames, uint, 0644);
MODULE_PARM_DESC(fail_frames, "this many next frames come back with V4L2_BUF_FLAG_ERROR; counts down");

static bool stall;
module_param(stall, bool, 0644);
MODULE_PARM_DESC(stall, "while set, frames are accepted and never finished");

static bool io_error;
module_param(io_error, bool, 0644);
MODULE_PARM_DESC(io_error, "the next frame puts both queues into the error state until STREAMOFF; clears itself");

static unsigned int frames_mmap;
module_param(frames_mmap, uint, 0644);
MODULE_PARM_DESC(frames_mmap, "frames encoded from the encoder's own OUTPUT buffers");

static unsigned int frames_dmabuf;
module_param(frames_dmabuf, uint, 0644);
MODULE_PARM_DESC(frames_dmabuf, "frames encoded from imported OUTPUT buffers");

/* Marks the text in each access unit (user_data_unregistered's uuid_iso_iec_11578). */
static const u8 text_uuid[16] = "camera-agent/vm\n";

struct raw_format {
	u32 fourcc;
	u32 stride_align;
	/* bytes of a luma sample's column, and bytes of a picture as eighths of stride × height */
	u32 bytes_per_column;
	u32 size_eighths;
};

static const struct raw_format raw_formats[] = {
	{ V4L2_PIX_FMT_NV12, 32, 1, 12 },
	{ V4L2_PIX_FMT_YUV420, 64, 1, 12 },
	{ V4L2_PIX_FMT_YUYV, 64, 2, 8 },
};

struct encoder {
	struct v4l2_device v4l2_dev;
	struct media_device media_dev;
	struct video_device vdev;
	struct v4l2_m2m_dev *m2m_dev;
	struct platform_device *pdev;
	struct mutex ioctl_lock;
	const struct raw_format *formats[ARRAY_SIZE(raw_formats)];
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

static struct encoder *the_encoder;

static struct instance *to_instance(struct file *file)
{
	return container_of(file->private_data, struct instance, fh);
}

static void queue_eos_event(struct instance *in)
{
	static const struct v4l2_event eos = { .type = V4L2_EVENT_EOS };

	v4l2_event_queue_fh(&in->fh, &eos);
}

/* ---- the picture */

/* Copies up to 16 samples of a row, each step bytes after the one before, and repeats the last one at the crop's edge. */
static void load_row(u8 *to, unsigned int count, const u8 *row, unsigned int step, u32 from, u32 width)
{
	unsigned int i;

	if (step == 1 && from + count <= width) {
		memcpy(to, row + from, count);
		return;
	}
	for (i = 0; i < count; i++)
		to[i] = row[min(from + i, width - 1) * step];
}

static void load_macroblock(const struct instance *in, const u8 *picture, u32 mb_x, u32 mb_y, u8 *samples)
{
	const u32 width = in->crop.width, height = in->crop.height;
	const u8 *chroma = picture + in->stride * in->height;
	u8 *cb = samples + 256, *cr = samples + 320;
	u32 i, y;

	for (i = 0; i < 16; i++) {
		y = min(mb_y * 16 + i, height - 1);
		load_row(samples + 16 * i, 16, picture + y * in->stride, in->raw->bytes_per_column, mb_x * 16, width);
	}
	for (i = 0; i < 8; i++, cb += 8, cr += 8) {
		y = min(mb_y * 8 + i, height / 2 - 1);
		switch (in->raw->fourcc) {
		case V4L2_PIX_FMT_NV12:
			load_row(cb, 8, chroma + y * in->stride, 2, mb_x * 8, width / 2);
			load_row(cr, 8, chroma + y * in->stride + 1, 2, mb_x * 8, width / 2);
			break;
		case V4L2_PIX_FMT_YUV420:
			load_row(cb, 8, chroma + y * (in->stride / 2), 1, mb_x * 8, width / 2);
			load_row(cr, 8, chroma + (in->height / 2 + y) * (in->stride / 2), 1, mb_x * 8, width / 2);
			break;
		default: /* YUYV: the chroma of every other line */
			load_row(cb, 8, picture + 2 * y * in->stride + 1, 4, mb_x * 8, width / 2);
			load_row(cr, 8, picture + 2 * y * in->stride + 3, 4, mb_x * 8, width / 2);
			break;
		}
	}
}

static void write_picture(struct instance *in, struct h264_writer *w, const u8 *picture, bool idr)
{
	u8 samples[H264_MB_BYTES];
	u8 *reference = in->reference;
	u32 x, y, skipped = 0;

	h264_begin_slice(w, idr, in->frame_num, in->idr_pic_id);
	for (y = 0; y < h264_mbs(in->crop.height); y++) {
		for (x = 0; x < h264_mbs(in->crop.width); x++, reference += H264_MB_BYTES) {
			load_macroblock(in, picture, x, y, samples);
			/* P_Skip repeats the reference: no motion vector of such a stream is other than zero (§8.4.1.1). */
			if (!idr && !memcmp(reference, samples, H264_MB_BYTES)) {
				skipped++;
				continue;
			}
			memcpy(reference, samples, H264_MB_BYTES);
			h264_write_pcm(w, idr, skipped, samples);
			skipped = 0;
		}
		cond_resched();
	}
	h264_end_slice(w, skipped);
}

static void write_headers(struct instance *in, struct h264_writer *w)
{
	/* level_idc (table A-1) by V4L2_MPEG_VIDEO_H264_LEVEL_1_0 to _5_1; 1b is 11 with constraint_set3_flag, or 9 */
	static const u8 levels[] = { 10, 11, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51 };
	const s32 level = v4l2_ctrl_g_ctrl(in->level);
	struct h264_sequence s = {
		.level_idc = levels[level],
		.width = in->crop.width,
		.height = in->crop.height,
		.frame_numerator = in->time_per_frame.numerator,
		.frame_denominator = in->time_per_frame.denominator,
	};

	/* profile_idc and constraint_set0_flag, constraint_set1_flag … from the top bit on (§A.2) */
	switch (v4l2_ctrl_g_ctrl(in->profile)) {
	case V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE:
		s.profile_idc = 66;
		s.constraint_flags = 0x80;
		break;
	case V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE:
		s.profile_idc = 66;
		s.constraint_flags = 0xc0;
		break;
	case V4L2_MPEG_VIDEO_H264_PROFILE_MAIN:
		s.profile_idc = 77;
		s.constraint_flags = 0x40;
		break;
	default:
		s.profile_idc = 100;
		break;
	}
	if (level == V4L2_MPEG_VIDEO_H264_LEVEL_1B) {
		if (s.profile_idc == 100)
			s.level_idc = 9;
		else
			s.constraint_flags |= 0x10;
	}
	h264_write_sps(w, &s);
	h264_write_pps(w);
}

static void write_text(struct instance *in, struct h264_writer *w, const struct vb2_v4l2_buffer *src, bool idr)
{
	char text[160];

	snprintf(text, sizeof(text), "frame=%u type=%s bitrate=%d gop=%d interval=%u/%u memory=%s ",
		 in->frames, idr ? "IDR" : "P", v4l2_ctrl_g_ctrl(in->bitrate), v4l2_ctrl_g_ctrl(in->gop_size),
		 in->time_per_frame.numerator, in->time_per_frame.denominator,
		 src->vb2_buf.memory == VB2_MEMORY_DMABUF ? "DMABUF" : "MMAP");
	h264_write_text(w, text_uuid, text);
}

/* Writes src's access unit into dst. Returns false when it cannot; the next picture is an IDR picture then. */
static bool encode(struct instance *in, struct vb2_v4l2_buffer *src, struct vb2_v4l2_buffer *dst)
{
	const u8 *picture = vb2_plane_vaddr(&src->vb2_buf, 0);
	u8 *coded = vb2_plane_vaddr(&dst->vb2_buf, 0);
	struct h264_writer w = { .next = coded, .end = coded + vb2_plane_size(&dst->vb2_buf, 0) };
	const s32 gop = v4l2_ctrl_g_ctrl(in->gop_size);
	bool idr = xchg(&in->idr_due, false) || (gop && in->since_idr >= gop);

	if (!picture || !coded || vb2_get_plane_payload(&src->vb2_buf, 0) < in->raw_size) {
		in->idr_due = true;
		return false;
	}
	if (idr) {
		in->frame_num = 0;
		in->since_idr = 0;
		in->idr_pic_id ^= 1;
		if (in->headers_due || v4l2_ctrl_g_ctrl(in->repeat_headers))
			write_headers(in, &w);
	}
	write_text(in, &w, src, idr);
	write_picture(in, &w, picture, idr);
	if (w.overflow) {
		in->idr_due = true;
		return false;
	}
	in->headers_due = false;
	in->frames++;
	in->since_idr++;
	in->frame_num = (in->frame_num + 1) % (1 << H264_LOG2_MAX_FRAME_NUM);
	if (src->vb2_buf.memory == VB2_MEMORY_DMABUF)
		frames_dmabuf++;
	else
		frames_mmap++;
	dst->flags |= idr ? V4L2_BUF_FLAG_KEYFRAME : V4L2_BUF_FLAG_PFRAME;
	vb2_set_plane_payload(&dst->vb2_buf, 0, w.next - coded);
	return true;
}

/* ---- jobs */

static bool take_failure(void)
{
	if (!fail_frames)
		return false;
	fail_frames--;
	return true;
}

/* V4L2_MPEG_VIDEO_HEADER_MODE_SEPARATE: the parameter sets are the first buffer, the first frame the second. */
static bool write_separate_headers(struct instance *in, struct vb2_v4l2_buffer *dst)
{
	u8 *coded = vb2_plane_vaddr(&dst->vb2_buf, 0);
	struct h264_writer w = { .next = coded, .end = coded + vb2_plane_size(&dst->vb2_buf, 0) };

	write_headers(in, &w);
	in->headers_due = false;
	if (!w.overflow)
		vb2_set_plane_payload(&dst->vb2_buf, 0, w.next - coded);
	return !w.overflow;
}

static void run_job(struct instance *in)
{
	struct v4l2_m2m_ctx *m2m = in->fh.m2m_ctx;
	struct vb2_v4l2_buffer *src = v4l2_m2m_next_src_buf(m2m);
	struct vb2_v4l2_buffer *dst = v4l2_m2m_next_dst_buf(m2m);
	enum vb2_buffer_state state = VB2_BUF_STATE_DONE;
	bool separate, last = false;

	if (!src || !dst)
		return;
	if (xchg(&io_error, false)) {
		in->failed = true;
		vb2_queue_error(v4l2_m2m_get_src_vq(m2m));
		vb2_queue_error(v4l2_m2m_get_dst_vq(m2m));
		return;
	}
	dst->flags &= ~(V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_BFRAME | V4L2_BUF_FLAG_LAST);
	vb2_set_plane_payload(&dst->vb2_buf, 0, 0);
	v4l2_m2m_buf_copy_metadata(src, dst, false);
	separate = in->headers_due && v4l2_ctrl_g_ctrl(in->header_mode) == V4L2_MPEG_VIDEO_HEADER_MODE_SEPARATE;
	if (take_failure() || !(separate ? write_separate_headers(in, dst) : encode(in, src, dst)))
		state = VB2_BUF_STATE_ERROR;

	mutex_lock(&in->finish_lock);
	dst->sequence = in->capture_sequence++;
	if (!separate || state == VB2_BUF_STATE_ERROR) {
		last = v4l2_m2m_is_last_draining_src_buf(m2m, src);
		src->sequence = in->output_sequence++;
		v4l2_m2m_src_buf_remove(m2m);
		v4l2_m2m_buf_done(src, state);
	}
	v4l2_m2m_dst_buf_remove(m2m);
	if (last) {
		dst->flags |= V4L2_BUF_FLAG_LAST;
		v4l2_m2m_mark_stopped(m2m);
		/* before the buffer, so that who has the buffer finds the event there */
		queue_eos_event(in);
	}
	v4l2_m2m_buf_done(dst, state);
	mutex_unlock(&in->finish_lock);
}

static void encoder_work(struct work_struct *work)
{
	struct instance *in = container_of(to_delayed_work(work), struct instance, work);

	if (!READ_ONCE(in->aborting)) {
		if (READ_ONCE(stall)) {
			queue_delayed_work(system_unbound_wq, &in->work, msecs_to_jiffies(STALL_POLL_MS));
			return;
		}
		run_job(in);
	}
	v4l2_m2m_job_finish(in->encoder->m2m_dev, in->fh.m2m_ctx);
}

static void encoder_device_run(void *priv)
{
	struct instance *in = priv;

	queue_delayed_work(system_unbound_wq, &in->work, msecs_to_jiffies(delay_ms));
}

static int encoder_job_ready(void *priv)
{
	struct instance *in = priv;

	return !in->failed;
}

static void encoder_job_abort(void *priv)
{
	struct instance *in = priv;

	WRITE_ONCE(in->aborting, true);
	mod_delayed_work(system_unbound_wq, &in->work, 0);
}

static const struct v4l2_m2m_ops encoder_m2m_ops = {
	.device_run = encoder_device_run,
	.job_ready = encoder_job_ready,
	.job_abort = encoder_job_abort,
};

/* ---- queues */

static u32 queue_size(struct vb2_queue *vq)
{
	struct instance *in = vb2_get_drv_priv(vq);

	return V4L2_TYPE_IS_OUTPUT(vq->type) ? in->raw_size : in->coded_size;
}

static int encoder_queue_setup(struct vb2_queue *vq, unsigned int *buffers, unsigned int *planes, unsigned int sizes[],
			       struct device *devices[])
{
	if (*planes)
		return *planes != 1 || sizes[0] < queue_size(vq) ? -EINVAL : 0;
	*planes = 1;
	sizes[0] = queue_size(vq);
	return 0;
}

static int encoder_buf_out_validate(struct vb2_buffer *vb)
{
	struct vb2_v4l2_buffer *buffer = to_vb2_v4l2_buffer(vb);

	if (buffer->field == V4L2_FIELD_ANY)
		buffer->field = V4L2_FIELD_NONE;
	return buffer->field == V4L2_FIELD_NONE ? 0 : -EINVAL;
}

static int encoder_buf_prepare(struct vb2_buffer *vb)
{
	if (vb2_plane_size(vb, 0) < queue_size(vb->vb2_queue))
		return -EINVAL;
	return vb->planes[0].data_offset ? -EINVAL : 0;
}

static void encoder_buf_queue(struct vb2_buffer *vb)
{
	struct instance *in = vb2_get_drv_priv(vb->vb2_queue);
	struct vb2_v4l2_buffer *buffer = to_vb2_v4l2_buffer(vb);
	struct v4l2_m2m_ctx *m2m = in->fh.m2m_ctx;

	if (V4L2_TYPE_IS_CAPTURE(vb->vb2_queue->type) && vb2_is_streaming(vb->vb2_queue) && v4l2_m2m_dst_buf_is_last(m2m)) {
		/* The drain ended with no CAPTURE buffer to say so with. */
		vb2_set_plane_payload(vb, 0, 0);
		buffer->field = V4L2_FIELD_NONE;
		buffer->sequence = in->capture_sequence++;
		queue_eos_event(in);
		v4l2_m2m_last_buffer_done(m2m, buffer);
		return;
	}
	v4l2_m2m_buf_queue(m2m, buffer);
}

/* Either queue's start makes a new coded stream: headers and an IDR picture. */
static int encoder_start_streaming(struct vb2_queue *vq, unsigned int count)
{
	struct instance *in = vb2_get_drv_priv(vq);
	const size_t size = (size_t)h264_mbs(in->crop.width) * h264_mbs(in->crop.height) * H264_MB_BYTES;

	if (V4L2_TYPE_IS_OUTPUT(vq->type)) {
		in->output_sequence = 0;
	} else {
		in->capture_sequence = 0;
		if (in->reference_size != size) {
			vfree(in->reference);
			in->reference = vmalloc(size);
			in->reference_size = in->reference ? size : 0;
		}
		if (!in->reference) {
			struct vb2_v4l2_buffer *buffer;

			while ((buffer = v4l2_m2m_dst_buf_remove(in->fh.m2m_ctx)))
				v4l2_m2m_buf_done(buffer, VB2_BUF_STATE_QUEUED);
			return -ENOMEM;
		}
	}
	in->headers_due = true;
	in->idr_due = true;
	v4l2_m2m_update_start_streaming_state(in->fh.m2m_ctx, vq);
	return 0;
}

static void encoder_stop_streaming(struct vb2_queue *vq)
{
	struct instance *in = vb2_get_drv_priv(vq);
	struct v4l2_m2m_ctx *m2m = in->fh.m2m_ctx;
	struct vb2_v4l2_buffer *buffer;

	/* The framework has waited for the job; this is for a work that an abort has started twice. */
	cancel_delayed_work_sync(&in->work);
	in->aborting = false;
	in->failed = false;
	v4l2_m2m_update_stop_streaming_state(m2m, vq);
	if (V4L2_TYPE_IS_OUTPUT(vq->type)) {
		while ((buffer = v4l2_m2m_src_buf_remove(m2m)))
			v4l2_m2m_buf_done(buffer, VB2_BUF_STATE_ERROR);
		if (v4l2_m2m_has_stopped(m2m))
			queue_eos_event(in);
	} else {
		while ((buffer = v4l2_m2m_dst_buf_remove(m2m)))
			v4l2_m2m_buf_done(buffer, VB2_BUF_STATE_ERROR);
	}
}

static const struct vb2_ops encoder_vb2_ops = {
	.queue_setup = encoder_queue_setup,
	.buf_out_validate = encoder_buf_out_validate,
	.buf_prepare = encoder_buf_prepare,
	.buf_queue = encoder_buf_queue,
	.start_streaming = encoder_start_streaming,
	.stop_streaming = encoder_stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int init_queue(struct instance *in, struct vb2_queue *vq, enum v4l2_buf_type type)
{
	vq->type = type;
	vq->io_modes = VB2_MMAP | VB2_DMABUF;
	vq->drv_priv = in;
	vq->buf_struct_size = sizeof(struct v4l2_m2m_buffer);
	vq->ops = &encoder_vb2_ops;
	vq->mem_ops = &vb2_vmalloc_memops;
	vq->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	vq->lock = &in->encoder->ioctl_lock;
	vq->dev = &in->encoder->pdev->dev;
	return vb2_queue_init(vq);
}

static int init_queues(void *priv, struct vb2_queue *src, struct vb2_queue *dst)
{
	int error = init_queue(priv, src, V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE);

	return error ? error : init_queue(priv, dst, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE);
}

/* ---- formats */

static const struct raw_format *find_format(const struct encoder *encoder, u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < encoder->format_count; i++)
		if (encoder->formats[i]->fourcc == fourcc)
			return encoder->formats[i];
	return NULL;
}

static u32 worst_coded_size(u32 width, u32 height)
{
	return h264_mbs(width) * h264_mbs(height) * H264_MB_WORST_BYTES + H264_HEADERS_WORST_BYTES;
}

static int encoder_querycap(struct file *file, void *priv, struct v4l2_capability *cap)
{
	strscpy(cap->driver, ENCODER_DRIVER, sizeof(cap->driver));
	strscpy(cap->card, ENCODER_CARD, sizeof(cap->card));
	strscpy(cap->bus_info, ENCODER_BUS, sizeof(cap->bus_info));
	return 0;
}

static int encoder_enum_fmt_out(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	const struct encoder *encoder = video_drvdata(file);

	if (f->index >= encoder->format_count)
		return -EINVAL;
	f->pixelformat = encoder->formats[f->index]->fourcc;
	return 0;
}

static int encoder_enum_fmt_cap(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	if (f->index)
		return -EINVAL;
	f->pixelformat = V4L2_PIX_FMT_H264;
	return 0;
}

static int encoder_enum_framesizes(struct file *file, void *priv, struct v4l2_frmsizeenum *sizes)
{
	if (sizes->index || (sizes->pixel_format != V4L2_PIX_FMT_H264 && !find_format(video_drvdata(file), sizes->pixel_format)))
		return -EINVAL;
	sizes->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	sizes->stepwise = (struct v4l2_frmsize_stepwise){ MIN_SIZE, MAX_SIZE, SIZE_STEP, MIN_SIZE, MAX_SIZE, SIZE_STEP };
	return 0;
}

static void fill_common(struct v4l2_pix_format_mplane *pix)
{
	pix->field = V4L2_FIELD_NONE;
	pix->flags = 0;
	pix->num_planes = 1;
	memset(pix->reserved, 0, sizeof(pix->reserved));
	memset(pix->plane_fmt[0].reserved, 0, sizeof(pix->plane_fmt[0].reserved));
}

static void fill_colors(const struct instance *in, struct v4l2_pix_format_mplane *pix)
{
	pix->colorspace = in->colorspace;
	pix->xfer_func = in->xfer_func;
	pix->ycbcr_enc = in->ycbcr_enc;
	pix->quantization = in->quantization;
}

static int encoder_g_fmt_out(struct file *file, void *priv, struct v4l2_format *f)
{
	const struct instance *in = to_instance(file);
	struct v4l2_pix_format_mplane *pix = &f->fmt.pix_mp;

	fill_common(pix);
	fill_colors(in, pix);
	pix->pixelformat = in->raw->fourcc;
	pix->width = in->width;
	pix->height = in->height;
	pix->plane_fmt[0].bytesperline = in->stride;
	pix->plane_fmt[0].sizeimage = in->raw_size;
	return 0;
}

static int encoder_try_fmt_out(struct file *file, void *priv, struct v4l2_format *f)
{
	const struct encoder *encoder = video_drvdata(file);
	struct v4l2_pix_format_mplane *pix = &f->fmt.pix_mp;
	struct v4l2_plane_pix_format *plane = &pix->plane_fmt[0];
	const struct raw_format *raw = find_format(encoder, pix->pixelformat);
	u32 align;

	if (!raw)
		raw = encoder->formats[0];
	align = stride_align ? stride_align : raw->stride_align;
	fill_common(pix);
	pix->pixelformat = raw->fourcc;
	pix->width = ALIGN(clamp(pix->width, MIN_SIZE, MAX_SIZE), SIZE_STEP);
	pix->height = ALIGN(clamp(pix->height, MIN_SIZE, MAX_SIZE), max(height_align, SIZE_STEP));
	plane->bytesperline = ALIGN(clamp(plane->bytesperline, pix->width * raw->bytes_per_column, MAX_BYTES_PER_LINE), align);
	plane->sizeimage = plane->bytesperline * pix->height / 8 * raw->size_eighths;
	if (pix->colorspace == V4L2_COLORSPACE_DEFAULT)
		pix->colorspace = V4L2_COLORSPACE_REC709;
	return 0;
}

static void set_output(struct instance *in, const struct v4l2_pix_format_mplane *pix)
{
	in->raw = find_format(in->encoder, pix->pixelformat);
	in->width = pix->width;
	in->height = pix->height;
	in->stride = pix->plane_fmt[0].bytesperline;
	in->raw_size = pix->plane_fmt[0].sizeimage;
	in->colorspace = pix->colorspace;
	in->xfer_func = pix->xfer_func;
	in->ycbcr_enc = pix->ycbcr_enc;
	in->quantization = pix->quantization;
	in->crop = (struct v4l2_rect){ .width = pix->width, .height = pix->height };
	in->coded_size = coded_size ? coded_size : worst_coded_size(in->width, in->height);
}

static int encoder_s_fmt_out(struct file *file, void *priv, struct v4l2_format *f)
{
	struct instance *in = to_instance(file);
	int error = encoder_try_fmt_out(file, priv, f);

	if (error)
		return error;
	/* The CAPTURE format follows, so that neither queue may have buffers of the old one. */
	if (vb2_is_busy(v4l2_m2m_get_src_vq(in->fh.m2m_ctx)) || vb2_is_busy(v4l2_m2m_get_dst_vq(in->fh.m2m_ctx)))
		return -EBUSY;
	set_output(in, &f->fmt.pix_mp);
	return 0;
}

/* Everything but sizeimage follows from the OUTPUT format; the coded size is whole macroblocks. */
static int encoder_try_fmt_cap(struct file *file, void *priv, struct v4l2_format *f)
{
	const struct instance *in = to_instance(file);
	struct v4l2_pix_format_mplane *pix = &f->fmt.pix_mp;
	const u32 least = coded_size ? coded_size : worst_coded_size(in->width, in->height);

	fill_common(pix);
	fill_colors(in, pix);
	pix->pixelformat = V4L2_PIX_FMT_H264;
	pix->width = h264_mbs(in->crop.width) * H264_MB_SIZE;
	pix->height = h264_mbs(in->crop.height) * H264_MB_SIZE;
	pix->plane_fmt[0].bytesperline = 0;
	pix->plane_fmt[0].sizeimage = clamp(pix->plane_fmt[0].sizeimage, least, max(least, worst_coded_size(MAX_SIZE, MAX_SIZE)));
	return 0;
}

static int encoder_g_fmt_cap(struct file *file, void *priv, struct v4l2_format *f)
{
	encoder_try_fmt_cap(file, priv, f);
	f->fmt.pix_mp.plane_fmt[0].sizeimage = to_instance(file)->coded_size;
	return 0;
}

static int encoder_s_fmt_cap(struct file *file, void *priv, struct v4l2_format *f)
{
	struct instance *in = to_instance(file);

	encoder_try_fmt_cap(file, priv, f);
	if (vb2_is_busy(v4l2_m2m_get_dst_vq(in->fh.m2m_ctx)))
		return -EBUSY;
	in->coded_size = f->fmt.pix_mp.plane_fmt[0].sizeimage;
	return 0;
}

/* The visible picture: a rectangle at the top left of the OUTPUT frame. */
static int encoder_g_selection(struct file *file, void *priv, struct v4l2_selection *s)
{
	const struct instance *in = to_instance(file);

	if (s->type != V4L2_BUF_TYPE_VIDEO_OUTPUT)
		return -EINVAL;
	switch (s->target) {
	case V4L2_SEL_TGT_CROP:
		s->r = in->crop;
		return 0;
	case V4L2_SEL_TGT_CROP_DEFAULT:
	case V4L2_SEL_TGT_CROP_BOUNDS:
		s->r = (struct v4l2_rect){ .width = in->width, .height = in->height };
		return 0;
	default:
		return -EINVAL;
	}
}

static int encoder_s_selection(struct file *file, void *priv, struct v4l2_selection *s)
{
	struct instance *in = to_instance(file);

	if (s->type != V4L2_BUF_TYPE_VIDEO_OUTPUT || s->target != V4L2_SEL_TGT_CROP)
		return -EINVAL;
	if (vb2_is_streaming(v4l2_m2m_get_src_vq(in->fh.m2m_ctx)) || vb2_is_streaming(v4l2_m2m_get_dst_vq(in->fh.m2m_ctx)))
		return -EBUSY;
	s->r.left = 0;
	s->r.top = 0;
	s->r.width = clamp(ALIGN(min(s->r.width, MAX_SIZE), SIZE_STEP), SIZE_STEP, in->width);
	s->r.height = clamp(ALIGN(min(s->r.height, MAX_SIZE), SIZE_STEP), SIZE_STEP, in->height);
	in->crop = s->r;
	return 0;
}

static int encoder_g_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	if (parm->type != V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE)
		return -EINVAL;
	parm->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
	parm->parm.output.timeperframe = to_instance(file)->time_per_frame;
	return 0;
}

static int encoder_s_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	const struct v4l2_fract *wanted = &parm->parm.output.timeperframe;

	if (parm->type != V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE)
		return -EINVAL;
	/* time_scale is twice the denominator in 32 bits */
	if (wanted->numerator && wanted->denominator && wanted->denominator <= INT_MAX)
		to_instance(file)->time_per_frame = *wanted;
	return encoder_g_parm(file, priv, parm);
}

static int encoder_command(struct file *file, void *priv, struct v4l2_encoder_cmd *cmd)
{
	struct instance *in = to_instance(file);
	struct v4l2_m2m_ctx *m2m = in->fh.m2m_ctx;
	int error = v4l2_m2m_ioctl_try_encoder_cmd(file, priv, cmd);

	if (error)
		return error;
	/* A drain starts only while both queues stream; the command succeeds all the same (the document's "Drain"). */
	if (!vb2_is_streaming(v4l2_m2m_get_src_vq(m2m)) || !vb2_is_streaming(v4l2_m2m_get_dst_vq(m2m)))
		return 0;
	mutex_lock(&in->finish_lock);
	error = v4l2_m2m_ioctl_encoder_cmd(file, priv, cmd);
	if (!error && cmd->cmd == V4L2_ENC_CMD_STOP && v4l2_m2m_has_stopped(m2m))
		queue_eos_event(in);
	mutex_unlock(&in->finish_lock);
	if (!error && cmd->cmd == V4L2_ENC_CMD_START) {
		vb2_clear_last_buffer_dequeued(v4l2_m2m_get_dst_vq(m2m));
		v4l2_m2m_try_schedule(m2m);
	}
	return error;
}

static int encoder_subscribe(struct v4l2_fh *fh, const struct v4l2_event_subscription *sub)
{
	return sub->type == V4L2_EVENT_EOS ? v4l2_event_subscribe(fh, sub, 2, NULL) : v4l2_ctrl_subscribe_event(fh, sub);
}

static const struct v4l2_ioctl_ops encoder_ioctl_ops = {
	.vidioc_querycap = encoder_querycap,
	.vidioc_enum_fmt_vid_out = encoder_enum_fmt_out,
	.vidioc_g_fmt_vid_out_mplane = encoder_g_fmt_out,
	.vidioc_try_fmt_vid_out_mplane = encoder_try_fmt_out,
	.vidioc_s_fmt_vid_out_mplane = encoder_s_fmt_out,
	.vidioc_enum_fmt_vid_cap = encoder_enum_fmt_cap,
	.vidioc_g_fmt_vid_cap_mplane = encoder_g_fmt_cap,
	.vidioc_try_fmt_vid_cap_mplane = encoder_try_fmt_cap,
	.vidioc_s_fmt_vid_cap_mplane = encoder_s_fmt_cap,
	.vidioc_enum_framesizes = encoder_enum_framesizes,
	.vidioc_g_selection = encoder_g_selection,
	.vidioc_s_selection = encoder_s_selection,
	.vidioc_g_parm = encoder_g_parm,
	.vidioc_s_parm = encoder_s_parm,
	.vidioc_reqbufs = v4l2_m2m_ioctl_reqbufs,
	.vidioc_querybuf = v4l2_m2m_ioctl_querybuf,
	.vidioc_qbuf = v4l2_m2m_ioctl_qbuf,
	.vidioc_dqbuf = v4l2_m2m_ioctl_dqbuf,
	.vidioc_prepare_buf = v4l2_m2m_ioctl_prepare_buf,
	.vidioc_create_bufs = v4l2_m2m_ioctl_create_bufs,
	.vidioc_expbuf = v4l2_m2m_ioctl_expbuf,
	.vidioc_streamon = v4l2_m2m_ioctl_streamon,
	.vidioc_streamoff = v4l2_m2m_ioctl_streamoff,
	.vidioc_encoder_cmd = encoder_command,
	.vidioc_try_encoder_cmd = v4l2_m2m_ioctl_try_encoder_cmd,
	.vidioc_subscribe_event = encoder_subscribe,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

/* ---- controls */

static int encoder_s_ctrl(struct v4l2_ctrl *ctrl)
{
	struct instance *in = container_of(ctrl->handler, struct instance, controls);

	switch (ctrl->id) {
	case V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME:
		WRITE_ONCE(in->idr_due, true);
		return 0;
	case V4L2_CID_MPEG_VIDEO_H264_I_PERIOD:
		/* Every I picture is an IDR picture, as on the Pi, where this control sets GOP_SIZE too. */
		return __v4l2_ctrl_s_ctrl(in->gop_size, ctrl->val);
	default:
		/* the others are read frame by frame */
		return 0;
	}
}

static const struct v4l2_ctrl_ops encoder_ctrl_ops = {
	.s_ctrl = encoder_s_ctrl,
};

static struct v4l2_ctrl *new_control(struct instance *in, u32 id, s64 min, s64 max, u64 step, s64 value)
{
	return v4l2_ctrl_new_std(&in->controls, &encoder_ctrl_ops, id, min, max, step, value);
}

static struct v4l2_ctrl *new_menu(struct instance *in, u32 id, u8 max, u64 left_out, u8 value)
{
	return v4l2_ctrl_new_std_menu(&in->controls, &encoder_ctrl_ops, id, max, left_out, value);
}

static int init_controls(struct instance *in)
{
	v4l2_ctrl_handler_init(&in->controls, 12);
	in->gop_size = new_control(in, V4L2_CID_MPEG_VIDEO_GOP_SIZE, 0, INT_MAX, 1, DEFAULT_GOP);
	new_control(in, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, 0, INT_MAX, 1, DEFAULT_GOP);
	in->bitrate = new_control(in, V4L2_CID_MPEG_VIDEO_BITRATE, MIN_BITRATE, MAX_BITRATE, MIN_BITRATE, DEFAULT_BITRATE);
	new_menu(in, V4L2_CID_MPEG_VIDEO_BITRATE_MODE, V4L2_MPEG_VIDEO_BITRATE_MODE_CBR, 0, V4L2_MPEG_VIDEO_BITRATE_MODE_VBR);
	in->header_mode = new_menu(in, V4L2_CID_MPEG_VIDEO_HEADER_MODE, V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME, 0,
				   V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME);
	in->repeat_headers = new_control(in, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 0, 1, 1, 0);
	new_control(in, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 0, 0);
	new_control(in, V4L2_CID_MPEG_VIDEO_B_FRAMES, 0, 0, 1, 0);
	in->profile = new_menu(in, V4L2_CID_MPEG_VIDEO_H264_PROFILE, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH,
			       BIT(V4L2_MPEG_VIDEO_H264_PROFILE_EXTENDED), V4L2_MPEG_VIDEO_H264_PROFILE_HIGH);
	in->level = new_menu(in, V4L2_CID_MPEG_VIDEO_H264_LEVEL, V4L2_MPEG_VIDEO_H264_LEVEL_5_1, 0, V4L2_MPEG_VIDEO_H264_LEVEL_4_0);
	new_control(in, V4L2_CID_MIN_BUFFERS_FOR_OUTPUT, 1, 1, 1, 1);
	new_control(in, V4L2_CID_MIN_BUFFERS_FOR_CAPTURE, 1, 1, 1, 1);
	if (!in->controls.error)
		v4l2_ctrl_handler_setup(&in->controls);
	return in->controls.error;
}

/* ---- files and the device */

static int encoder_open(struct file *file)
{
	struct encoder *encoder = video_drvdata(file);
	struct v4l2_format start = { .fmt.pix_mp = { .width = 640, .height = 480 } };
	struct instance *in = kzalloc(sizeof(*in), GFP_KERNEL);
	int error;

	if (!in)
		return -ENOMEM;
	in->encoder = encoder;
	in->time_per_frame = (struct v4l2_fract){ 1, 30 };
	mutex_init(&in->finish_lock);
	INIT_DELAYED_WORK(&in->work, encoder_work);
	encoder_try_fmt_out(file, NULL, &start);
	set_output(in, &start.fmt.pix_mp);
	v4l2_fh_init(&in->fh, video_devdata(file));
	error = init_controls(in);
	if (error)
		goto free_controls;
	in->fh.ctrl_handler = &in->controls;
	in->fh.m2m_ctx = v4l2_m2m_ctx_init(encoder->m2m_dev, in, init_queues);
	if (IS_ERR(in->fh.m2m_ctx)) {
		error = PTR_ERR(in->fh.m2m_ctx);
		goto free_controls;
	}
	file->private_data = &in->fh;
	v4l2_fh_add(&in->fh);
	return 0;

free_controls:
	v4l2_ctrl_handler_free(&in->controls);
	v4l2_fh_exit(&in->fh);
	mutex_destroy(&in->finish_lock);
	kfree(in);
	return error;
}

static int encoder_release(struct file *file)
{
	struct instance *in = to_instance(file);

	mutex_lock(&in->encoder->ioctl_lock);
	v4l2_m2m_ctx_release(in->fh.m2m_ctx);
	mutex_unlock(&in->encoder->ioctl_lock);
	cancel_delayed_work_sync(&in->work);
	v4l2_fh_del(&in->fh);
	v4l2_fh_exit(&in->fh);
	v4l2_ctrl_handler_free(&in->controls);
	mutex_destroy(&in->finish_lock);
	vfree(in->reference);
	kfree(in);
	return 0;
}

static const struct v4l2_file_operations encoder_fops = {
	.owner = THIS_MODULE,
	.open = encoder_open,
	.release = encoder_release,
	.poll = v4l2_m2m_fop_poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = v4l2_m2m_fop_mmap,
};

/* Reads the parameter formats: fourcc codes between commas, the first one the default. */
static int parse_formats(struct encoder *encoder)
{
	const char *text = formats;
	unsigned int i;

	while (strlen(text) >= 4) {
		for (i = 0; i < ARRAY_SIZE(raw_formats); i++)
			if (raw_formats[i].fourcc == v4l2_fourcc(text[0], text[1], text[2], text[3]))
				break;
		if (i == ARRAY_SIZE(raw_formats) || find_format(encoder, raw_formats[i].fourcc))
			return -EINVAL;
		encoder->formats[encoder->format_count++] = &raw_formats[i];
		text += text[4] == ',' ? 5 : 4;
	}
	return *text || !encoder->format_count ? -EINVAL : 0;
}

static int __init encoder_init(void)
{
	struct encoder *encoder;
	struct video_device *vdev;
	int error;

	if ((stride_align && !is_power_of_2(stride_align)) || !is_power_of_2(height_align)) {
		pr_err(ENCODER_DRIVER ": stride_align and height_align must be powers of two\n");
		return -EINVAL;
	}
	encoder = kzalloc(sizeof(*encoder), GFP_KERNEL);
	if (!encoder)
		return -ENOMEM;
	error = parse_formats(encoder);
	if (error) {
		pr_err(ENCODER_DRIVER ": formats is '%s', must be of NV12, YU12 and YUYV, with commas between\n", formats);
		goto free_encoder;
	}
	mutex_init(&encoder->ioctl_lock);
	encoder->pdev = platform_device_register_simple(ENCODER_DRIVER, -1, NULL, 0);
	if (IS_ERR(encoder->pdev)) {
		error = PTR_ERR(encoder->pdev);
		goto free_encoder;
	}
	encoder->media_dev.dev = &encoder->pdev->dev;
	strscpy(encoder->media_dev.driver_name, ENCODER_DRIVER, sizeof(encoder->media_dev.driver_name));
	strscpy(encoder->media_dev.model, ENCODER_CARD, sizeof(encoder->media_dev.model));
	strscpy(encoder->media_dev.bus_info, ENCODER_BUS, sizeof(encoder->media_dev.bus_info));
	media_device_init(&encoder->media_dev);
	encoder->v4l2_dev.mdev = &encoder->media_dev;
	strscpy(encoder->v4l2_dev.name, ENCODER_DRIVER, sizeof(encoder->v4l2_dev.name));
	error = v4l2_device_register(&encoder->pdev->dev, &encoder->v4l2_dev);
	if (error)
		goto cleanup_media;
	encoder->m2m_dev = v4l2_m2m_init(&encoder_m2m_ops);
	if (IS_ERR(encoder->m2m_dev)) {
		error = PTR_ERR(encoder->m2m_dev);
		goto unregister_v4l2;
	}
	vdev = &encoder->vdev;
	strscpy(vdev->name, ENCODER_DRIVER, sizeof(vdev->name));
	vdev->vfl_dir = VFL_DIR_M2M;
	vdev->fops = &encoder_fops;
	vdev->ioctl_ops = &encoder_ioctl_ops;
	vdev->release = video_device_release_empty;
	vdev->lock = &encoder->ioctl_lock;
	vdev->v4l2_dev = &encoder->v4l2_dev;
	vdev->device_caps = V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING;
	video_set_drvdata(vdev, encoder);
	error = video_register_device(vdev, VFL_TYPE_VIDEO, video_nr);
	if (error)
		goto release_m2m;
	error = v4l2_m2m_register_media_controller(encoder->m2m_dev, vdev, MEDIA_ENT_F_PROC_VIDEO_ENCODER);
	if (error)
		goto unregister_video;
	error = media_device_register(&encoder->media_dev);
	if (error)
		goto unregister_controller;
	the_encoder = encoder;
	return 0;

unregister_controller:
	v4l2_m2m_unregister_media_controller(encoder->m2m_dev);
unregister_video:
	video_unregister_device(vdev);
release_m2m:
	v4l2_m2m_release(encoder->m2m_dev);
unregister_v4l2:
	v4l2_device_unregister(&encoder->v4l2_dev);
cleanup_media:
	media_device_cleanup(&encoder->media_dev);
	platform_device_unregister(encoder->pdev);
free_encoder:
	kfree(encoder);
	return error;
}

static void __exit encoder_exit(void)
{
	media_device_unregister(&the_encoder->media_dev);
	v4l2_m2m_unregister_media_controller(the_encoder->m2m_dev);
	video_unregister_device(&the_encoder->vdev);
	v4l2_m2m_release(the_encoder->m2m_dev);
	v4l2_device_unregister(&the_encoder->v4l2_dev);
	media_device_cleanup(&the_encoder->media_dev);
	platform_device_unregister(the_encoder->pdev);
	mutex_destroy(&the_encoder->ioctl_lock);
	kfree(the_encoder);
}

module_init(encoder_init);
module_exit(encoder_exit);
