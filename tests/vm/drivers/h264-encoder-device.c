// SPDX-License-Identifier: GPL-2.0-only
/* The module, its device, and open files with their controls (h264-encoder.h). */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "h264-encoder.h"

MODULE_DESCRIPTION("V4L2 stateful H.264 encoder for tests");
MODULE_LICENSE("GPL");

/* bcm2835-codec's ranges and defaults */
#define MIN_BITRATE 25000
#define MAX_BITRATE 25000000
#define DEFAULT_BITRATE 10000000
#define DEFAULT_GOP 60

static int video_nr = -1;
module_param(video_nr, int, 0444);
MODULE_PARM_DESC(video_nr, "number of the /dev/video node; -1 is the first free one");

static char *formats = "NV12,YU12";
module_param(formats, charp, 0444);
MODULE_PARM_DESC(formats, "OUTPUT pixel formats, of NV12, YU12 and YUYV");

unsigned int stride_align;
module_param(stride_align, uint, 0444);
MODULE_PARM_DESC(stride_align, "bytesperline is a multiple of this power of two; 0 is the Pi's: 32 for NV12, 64 for others");

unsigned int height_align = 16;
module_param(height_align, uint, 0444);
MODULE_PARM_DESC(height_align, "the OUTPUT height is a multiple of this power of two");

unsigned int coded_size;
module_param(coded_size, uint, 0644);
MODULE_PARM_DESC(coded_size, "sizeimage of coded buffers, set before S_FMT; 0 is what every frame fits in");

unsigned int delay_ms = 10;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "milliseconds that a frame takes");

unsigned int fail_frames;
module_param(fail_frames, uint, 0644);
MODULE_PARM_DESC(fail_frames, "this many next frames come back with V4L2_BUF_FLAG_ERROR; counts down");

bool stall;
module_param(stall, bool, 0644);
MODULE_PARM_DESC(stall, "while set, frames are accepted and never finished");

bool io_error;
module_param(io_error, bool, 0644);
MODULE_PARM_DESC(io_error, "the next frame puts both queues into the error state until STREAMOFF; clears itself");

unsigned int frames_mmap;
module_param(frames_mmap, uint, 0644);
MODULE_PARM_DESC(frames_mmap, "frames encoded from the encoder's own OUTPUT buffers");

unsigned int frames_dmabuf;
module_param(frames_dmabuf, uint, 0644);
MODULE_PARM_DESC(frames_dmabuf, "frames encoded from imported OUTPUT buffers");

static struct encoder *the_encoder;

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

static int encoder_open(struct file *file)
{
	struct encoder *encoder = video_drvdata(file);
	struct instance *in = kzalloc(sizeof(*in), GFP_KERNEL);
	int error;

	if (!in)
		return -ENOMEM;
	in->encoder = encoder;
	in->time_per_frame = (struct v4l2_fract){ 1, 30 };
	mutex_init(&in->finish_lock);
	INIT_DELAYED_WORK(&in->work, encoder_work);
	encoder_default_format(in);
	v4l2_fh_init(&in->fh, video_devdata(file));
	error = init_controls(in);
	if (error)
		goto free_controls;
	in->fh.ctrl_handler = &in->controls;
	in->fh.m2m_ctx = v4l2_m2m_ctx_init(encoder->m2m_dev, in, encoder_init_queues);
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
	error = encoder_parse_formats(encoder, formats);
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
