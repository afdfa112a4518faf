/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes H.264 access units whose macroblocks are I_PCM or P_Skip, so that a decoder's picture is exactly the picture given.
 * CAVLC, one slice a picture, deblocking off. "§" and "table" are those of Rec. ITU-T H.264 (08/2021).
 */
#ifndef H264_PCM_H
#define H264_PCM_H

#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#define H264_MB_SIZE 16
/* Samples of an I_PCM macroblock: 256 of luma, then 64 of Cb and of Cr (§7.3.5). */
#define H264_MB_BYTES 384
/* mb_type and alignment take two bytes, a skip run at most four; emulation prevention adds at most a byte to every two (§7.4.1). */
#define H264_MB_WORST_BYTES (H264_MB_BYTES * 3 / 2 + 8)
/* More than the parameter sets, the SEI message and the slice header together. */
#define H264_HEADERS_WORST_BYTES 1024
/* log2_max_frame_num_minus4's largest value is 12 (§7.4.2.1.1). */
#define H264_LOG2_MAX_FRAME_NUM 16

/* nal_unit_type (table 7-1) with nal_ref_idc in bits 5 and 6 */
#define H264_NAL_SLICE 0x61
#define H264_NAL_IDR 0x65
#define H264_NAL_SEI 0x06
#define H264_NAL_SPS 0x67
#define H264_NAL_PPS 0x68

/* slice_type of a picture whose slices all are of that type (table 7-6) */
#define H264_SLICE_P 5
#define H264_SLICE_I 7
/* mb_type I_PCM: 25 in an I slice (table 7-11), after the 5 types of its own in a P slice (§7.4.5) */
#define H264_I_PCM 25
#define H264_I_PCM_IN_P (5 + 25)

struct h264_writer {
	u8 *next;
	u8 *end;
	/* zero bytes just written to this NAL unit */
	unsigned int zeros;
	/* bits that do not fill a byte yet */
	u8 partial;
	unsigned int partial_bits;
	/* the buffer was too small; what is in it is no stream */
	bool overflow;
};

struct h264_sequence {
	u8 profile_idc;
	u8 constraint_flags;
	u8 level_idc;
	/* visible size, even */
	u32 width, height;
	/* seconds a frame, as a fraction */
	u32 frame_numerator, frame_denominator;
};

static inline void h264_raw_byte(struct h264_writer *w, u8 byte)
{
	if (w->next < w->end)
		*w->next++ = byte;
	else
		w->overflow = true;
}

/* One byte of a NAL unit, with emulation prevention (§7.4.1). */
static inline void h264_byte(struct h264_writer *w, u8 byte)
{
	if (w->zeros >= 2 && byte <= 3) {
		h264_raw_byte(w, 3);
		w->zeros = 0;
	}
	h264_raw_byte(w, byte);
	w->zeros = byte ? 0 : w->zeros + 1;
}

static inline bool h264_has_zero_byte(const u8 *bytes)
{
	u64 word;

	memcpy(&word, bytes, sizeof(word));
	return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;
}

/* Whole bytes; the writer is aligned. Eight bytes without a zero among them need no look at each. */
static inline void h264_bytes(struct h264_writer *w, const u8 *bytes, size_t count)
{
	size_t i = 0;

	while (i < count) {
		if (count - i >= 8 && w->end - w->next >= 8 && (w->zeros < 2 || bytes[i] > 3) &&
		    !h264_has_zero_byte(bytes + i)) {
			memcpy(w->next, bytes + i, 8);
			w->next += 8;
			w->zeros = 0;
			i += 8;
		} else {
			h264_byte(w, bytes[i++]);
		}
	}
}

static inline void h264_u(struct h264_writer *w, unsigned int bits, u32 value)
{
	while (bits--) {
		w->partial = w->partial << 1 | ((value >> bits) & 1);
		if (++w->partial_bits == 8) {
			h264_byte(w, w->partial);
			w->partial_bits = 0;
		}
	}
}

/* ue(v): Exp-Golomb (§9.1) */
static inline void h264_ue(struct h264_writer *w, u32 value)
{
	unsigned int bits = fls(value + 1);

	h264_u(w, bits - 1, 0);
	h264_u(w, bits, value + 1);
}

static inline void h264_align_zero(struct h264_writer *w)
{
	while (w->partial_bits)
		h264_u(w, 1, 0);
}

static inline void h264_begin_nal(struct h264_writer *w, u8 header)
{
	/* the start code (annex B) is not part of the NAL unit */
	h264_raw_byte(w, 0);
	h264_raw_byte(w, 0);
	h264_raw_byte(w, 0);
	h264_raw_byte(w, 1);
	w->zeros = 0;
	w->partial_bits = 0;
	h264_byte(w, header);
}

/* rbsp_trailing_bits (§7.3.2.11) */
static inline void h264_end_nal(struct h264_writer *w)
{
	h264_u(w, 1, 1);
	h264_align_zero(w);
}

static inline u32 h264_mbs(u32 samples)
{
	return DIV_ROUND_UP(samples, H264_MB_SIZE);
}

/* seq_parameter_set_rbsp (§7.3.2.1.1) with the VUI's timing and the promise of no reordering (annex E) */
static inline void h264_write_sps(struct h264_writer *w, const struct h264_sequence *s)
{
	u32 right = (h264_mbs(s->width) * H264_MB_SIZE - s->width) / 2;
	u32 bottom = (h264_mbs(s->height) * H264_MB_SIZE - s->height) / 2;

	h264_begin_nal(w, H264_NAL_SPS);
	h264_u(w, 8, s->profile_idc);
	h264_u(w, 8, s->constraint_flags);
	h264_u(w, 8, s->level_idc);
	h264_ue(w, 0); /* seq_parameter_set_id */
	if (s->profile_idc == 100) {
		h264_ue(w, 1); /* chroma_format_idc: 4:2:0 */
		h264_ue(w, 0); /* bit_depth_luma_minus8 */
		h264_ue(w, 0); /* bit_depth_chroma_minus8 */
		h264_u(w, 1, 0); /* qpprime_y_zero_transform_bypass_flag */
		h264_u(w, 1, 0); /* seq_scaling_matrix_present_flag */
	}
	h264_ue(w, H264_LOG2_MAX_FRAME_NUM - 4);
	h264_ue(w, 2); /* pic_order_cnt_type: output order is decoding order */
	h264_ue(w, 1); /* max_num_ref_frames */
	h264_u(w, 1, 0); /* gaps_in_frame_num_value_allowed_flag */
	h264_ue(w, h264_mbs(s->width) - 1);
	h264_ue(w, h264_mbs(s->height) - 1);
	h264_u(w, 1, 1); /* frame_mbs_only_flag */
	h264_u(w, 1, 1); /* direct_8x8_inference_flag */
	h264_u(w, 1, right || bottom); /* frame_cropping_flag */
	if (right || bottom) {
		h264_ue(w, 0);
		h264_ue(w, right);
		h264_ue(w, 0);
		h264_ue(w, bottom);
	}
	h264_u(w, 1, 1); /* vui_parameters_present_flag */
	h264_u(w, 1, 0); /* aspect_ratio_info_present_flag */
	h264_u(w, 1, 0); /* overscan_info_present_flag */
	h264_u(w, 1, 0); /* video_signal_type_present_flag */
	h264_u(w, 1, 0); /* chroma_loc_info_present_flag */
	h264_u(w, 1, 1); /* timing_info_present_flag; a frame lasts two ticks */
	h264_u(w, 32, s->frame_numerator);
	h264_u(w, 32, 2 * s->frame_denominator);
	h264_u(w, 1, 1); /* fixed_frame_rate_flag */
	h264_u(w, 1, 0); /* nal_hrd_parameters_present_flag */
	h264_u(w, 1, 0); /* vcl_hrd_parameters_present_flag */
	h264_u(w, 1, 0); /* pic_struct_present_flag */
	h264_u(w, 1, 1); /* bitstream_restriction_flag */
	h264_u(w, 1, 1); /* motion_vectors_over_pic_boundaries_flag */
	h264_ue(w, 0); /* max_bytes_per_pic_denom: no limit */
	h264_ue(w, 0); /* max_bits_per_mb_denom: no limit */
	h264_ue(w, 0); /* log2_max_mv_length_horizontal */
	h264_ue(w, 0); /* log2_max_mv_length_vertical */
	h264_ue(w, 0); /* max_num_reorder_frames */
	h264_ue(w, 1); /* max_dec_frame_buffering */
	h264_end_nal(w);
}

/* pic_parameter_set_rbsp (§7.3.2.2) */
static inline void h264_write_pps(struct h264_writer *w)
{
	h264_begin_nal(w, H264_NAL_PPS);
	h264_ue(w, 0); /* pic_parameter_set_id */
	h264_ue(w, 0); /* seq_parameter_set_id */
	h264_u(w, 1, 0); /* entropy_coding_mode_flag: CAVLC */
	h264_u(w, 1, 0); /* bottom_field_pic_order_in_frame_present_flag */
	h264_ue(w, 0); /* num_slice_groups_minus1 */
	h264_ue(w, 0); /* num_ref_idx_l0_default_active_minus1 */
	h264_ue(w, 0); /* num_ref_idx_l1_default_active_minus1 */
	h264_u(w, 1, 0); /* weighted_pred_flag */
	h264_u(w, 2, 0); /* weighted_bipred_idc */
	h264_ue(w, 0); /* pic_init_qp_minus26, se(0) */
	h264_ue(w, 0); /* pic_init_qs_minus26 */
	h264_ue(w, 0); /* chroma_qp_index_offset */
	h264_u(w, 1, 1); /* deblocking_filter_control_present_flag */
	h264_u(w, 1, 0); /* constrained_intra_pred_flag */
	h264_u(w, 1, 0); /* redundant_pic_cnt_present_flag */
	h264_end_nal(w);
}

/* user_data_unregistered SEI message (§D.1.7): a text any tool can find in the stream; up to 238 bytes of it */
static inline void h264_write_text(struct h264_writer *w, const u8 uuid[16], const char *text)
{
	size_t length = min_t(size_t, strlen(text), 254 - 16);

	h264_begin_nal(w, H264_NAL_SEI);
	h264_byte(w, 5); /* payloadType */
	h264_byte(w, 16 + length);
	h264_bytes(w, uuid, 16);
	h264_bytes(w, (const u8 *)text, length);
	h264_end_nal(w);
}

/* slice_header (§7.3.3) of the picture's only slice */
static inline void h264_begin_slice(struct h264_writer *w, bool idr, u32 frame_num, u32 idr_pic_id)
{
	h264_begin_nal(w, idr ? H264_NAL_IDR : H264_NAL_SLICE);
	h264_ue(w, 0); /* first_mb_in_slice */
	h264_ue(w, idr ? H264_SLICE_I : H264_SLICE_P);
	h264_ue(w, 0); /* pic_parameter_set_id */
	h264_u(w, H264_LOG2_MAX_FRAME_NUM, frame_num);
	if (idr) {
		h264_ue(w, idr_pic_id);
		h264_u(w, 1, 0); /* no_output_of_prior_pics_flag */
		h264_u(w, 1, 0); /* long_term_reference_flag */
	} else {
		h264_u(w, 1, 0); /* num_ref_idx_active_override_flag */
		h264_u(w, 1, 0); /* ref_pic_list_modification_flag_l0 */
		h264_u(w, 1, 0); /* adaptive_ref_pic_marking_mode_flag */
	}
	h264_ue(w, 0); /* slice_qp_delta, se(0) */
	h264_ue(w, 1); /* disable_deblocking_filter_idc */
}

/* An I_PCM macroblock (§7.3.5), in a P slice after the run of skipped ones before it (§7.3.4). */
static inline void h264_write_pcm(struct h264_writer *w, bool idr, u32 skipped, const u8 *samples)
{
	if (!idr)
		h264_ue(w, skipped);
	h264_ue(w, idr ? H264_I_PCM : H264_I_PCM_IN_P);
	h264_align_zero(w);
	h264_bytes(w, samples, H264_MB_BYTES);
}

static inline void h264_end_slice(struct h264_writer *w, u32 skipped)
{
	if (skipped)
		h264_ue(w, skipped);
	h264_end_nal(w);
}

#endif
