// SPDX-License-Identifier: GPL-2.0-only
/* Formats, visible size, frame rate and the drain commands: the node's ioctls (h264-encoder.h). */
#include "h264-encoder.h"

/* bcm2835-codec's limits */
#define MIN_SIZE 32U
#define MAX_SIZE 1920U
#define SIZE_STEP 2U

#define MAX_BYTES_PER_LINE 8192U
#define MB_SIZE 16

static const struct raw_format raw_formats[RAW_FORMATS] = {
	{ V4L2_PIX_FMT_NV12, 32, 1, 12 },
	{ V4L2_PIX_FMT_YUV420, 64, 1, 12 },
	{ V4L2_PIX_FMT_YUYV, 64, 2, 8 },
};

static const struct raw_format *find_format(const struct encoder *encoder, u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < encoder->format_count; i++)
		if (encoder->formats[i]->fourcc == fourcc)
			return encoder->formats[i];
	return NULL;
}

int encoder_parse_formats(struct encoder *encoder, const char *text)
{
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

static void adjust_output(const struct encoder *encoder, struct v4l2_pix_format_mplane *pix)
{
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
}

static int encoder_try_fmt_out(struct file *file, void *priv, struct v4l2_format *f)
{
	adjust_output(video_drvdata(file), &f->fmt.pix_mp);
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
	in->coded_size = coded_size ? coded_size : encoder_worst_coded_size(in->width, in->height);
}

void encoder_default_format(struct instance *in)
{
	struct v4l2_pix_format_mplane pix = { .width = 640, .height = 480 };

	adjust_output(in->encoder, &pix);
	set_output(in, &pix);
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
	const u32 least = coded_size ? coded_size : encoder_worst_coded_size(in->width, in->height);

	fill_common(pix);
	fill_colors(in, pix);
	pix->pixelformat = V4L2_PIX_FMT_H264;
	pix->width = ALIGN(in->crop.width, MB_SIZE);
	pix->height = ALIGN(in->crop.height, MB_SIZE);
	pix->plane_fmt[0].bytesperline = 0;
	pix->plane_fmt[0].sizeimage = clamp(pix->plane_fmt[0].sizeimage, least, max(least, encoder_worst_coded_size(MAX_SIZE, MAX_SIZE)));
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

const struct v4l2_ioctl_ops encoder_ioctl_ops = {
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
