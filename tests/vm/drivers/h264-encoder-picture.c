// SPDX-License-Identifier: GPL-2.0-only
/* From a raw picture to an access unit (h264-encoder.h). */
#include "h264-encoder.h"
#include "h264-pcm.h"

/* Marks the text in each access unit (user_data_unregistered's uuid_iso_iec_11578). */
static const u8 text_uuid[16] = "camera-agent/vm\n";

u32 encoder_worst_coded_size(u32 width, u32 height)
{
	return h264_mbs(width) * h264_mbs(height) * H264_MB_WORST_BYTES + H264_HEADERS_WORST_BYTES;
}

size_t encoder_reference_size(u32 width, u32 height)
{
	return (size_t)h264_mbs(width) * h264_mbs(height) * H264_MB_BYTES;
}

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

bool encoder_write_picture(struct instance *in, struct vb2_v4l2_buffer *src, struct vb2_v4l2_buffer *dst)
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

bool encoder_write_headers(struct instance *in, struct vb2_v4l2_buffer *dst)
{
	u8 *coded = vb2_plane_vaddr(&dst->vb2_buf, 0);
	struct h264_writer w = { .next = coded, .end = coded + vb2_plane_size(&dst->vb2_buf, 0) };

	write_headers(in, &w);
	if (w.overflow)
		return false;
	in->headers_due = false;
	vb2_set_plane_payload(&dst->vb2_buf, 0, w.next - coded);
	return true;
}
