// SPDX-License-Identifier: GPL-2.0-only
/* Jobs and the two buffer queues, with the faults that the module parameters ask for (h264-encoder.h). */
#include <linux/platform_device.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <media/videobuf2-vmalloc.h>
#include "h264-encoder.h"

/* How often a stalled frame looks whether it may go on. */
#define STALL_POLL_MS 20

static bool take_failure(void)
{
	if (!fail_frames)
		return false;
	fail_frames--;
	return true;
}

/* One frame; with V4L2_MPEG_VIDEO_HEADER_MODE_SEPARATE the parameter sets take a buffer of their own before the first. */
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
	if (take_failure() || !(separate ? encoder_write_headers(in, dst) : encoder_write_picture(in, src, dst)))
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

void encoder_work(struct work_struct *work)
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

const struct v4l2_m2m_ops encoder_m2m_ops = {
	.device_run = encoder_device_run,
	.job_ready = encoder_job_ready,
	.job_abort = encoder_job_abort,
};

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
	/* The framework ends a drain with a buffer just as it was queued. */
	if (V4L2_TYPE_IS_CAPTURE(vb->vb2_queue->type))
		vb2_set_plane_payload(vb, 0, 0);
	return vb->planes[0].data_offset ? -EINVAL : 0;
}

static void encoder_buf_queue(struct vb2_buffer *vb)
{
	struct instance *in = vb2_get_drv_priv(vb->vb2_queue);
	struct vb2_v4l2_buffer *buffer = to_vb2_v4l2_buffer(vb);
	struct v4l2_m2m_ctx *m2m = in->fh.m2m_ctx;

	if (V4L2_TYPE_IS_CAPTURE(vb->vb2_queue->type) && vb2_is_streaming(vb->vb2_queue) && v4l2_m2m_dst_buf_is_last(m2m)) {
		/* The drain ended with no CAPTURE buffer to say so with. */
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
	const size_t size = encoder_reference_size(in->crop.width, in->crop.height);

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

int encoder_init_queues(void *priv, struct vb2_queue *src, struct vb2_queue *dst)
{
	int error = init_queue(priv, src, V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE);

	return error ? error : init_queue(priv, dst, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE);
}
