using System.Runtime.InteropServices;

namespace Agent.Interop.LibAv;

/// <summary>The functions used of libavcodec, libavformat, libavutil and libswscale, as their headers declare them.</summary>
internal static unsafe partial class NativeMethods
{
    static NativeMethods() => NativeLibraries.Use();

    // libavutil/avutil.h, error.h, log.h, opt.h, buffer.h, frame.h

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial uint avutil_version();

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial int av_strerror(int errnum, byte* errbuf, nuint errbuf_size);

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial void av_log_set_level(int level);

    [LibraryImport(NativeLibraries.AvUtil, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int av_opt_set(nint obj, string name, string val, int search_flags);

    [LibraryImport(NativeLibraries.AvUtil, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int av_opt_set_int(nint obj, string name, long val, int search_flags);

    [LibraryImport(NativeLibraries.AvUtil, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int av_opt_get_int(nint obj, string name, int search_flags, out long out_val);

    [LibraryImport(NativeLibraries.AvUtil, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int av_opt_get_image_size(nint obj, string name, int search_flags, out int w_out, out int h_out);

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial nint av_buffer_alloc(nuint size);

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial nint av_frame_alloc();

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial void av_frame_free(ref nint frame);

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial void av_frame_unref(nint frame);

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial int av_frame_get_buffer(nint frame, int align);

    [LibraryImport(NativeLibraries.AvUtil)]
    public static partial int av_frame_make_writable(nint frame);

    // libavcodec/avcodec.h, packet.h, bsf.h

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial uint avcodec_version();

    [LibraryImport(NativeLibraries.AvCodec, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint avcodec_find_encoder_by_name(string name);

    [LibraryImport(NativeLibraries.AvCodec, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint avcodec_find_decoder_by_name(string name);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial nint avcodec_find_decoder(int id);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial nint avcodec_alloc_context3(nint codec);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial void avcodec_free_context(ref nint avctx);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int avcodec_parameters_to_context(nint codec, nint par);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int avcodec_parameters_copy(nint dst, nint src);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int avcodec_open2(nint avctx, nint codec, nint options);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int avcodec_send_frame(nint avctx, nint frame);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int avcodec_receive_packet(nint avctx, nint avpkt);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int avcodec_send_packet(nint avctx, nint avpkt);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int avcodec_receive_frame(nint avctx, nint frame);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial void avcodec_flush_buffers(nint avctx);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial nint av_packet_alloc();

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial void av_packet_free(ref nint pkt);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial void av_packet_unref(nint pkt);

    [LibraryImport(NativeLibraries.AvCodec, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint av_bsf_get_by_name(string name);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int av_bsf_alloc(nint filter, out nint ctx);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int av_bsf_init(nint ctx);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int av_bsf_send_packet(nint ctx, nint pkt);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial int av_bsf_receive_packet(nint ctx, nint pkt);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial void av_bsf_flush(nint ctx);

    [LibraryImport(NativeLibraries.AvCodec)]
    public static partial void av_bsf_free(ref nint ctx);

    // libavformat/avformat.h

    [LibraryImport(NativeLibraries.AvFormat, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int avformat_open_input(out nint ps, string url, nint fmt, nint options);

    [LibraryImport(NativeLibraries.AvFormat)]
    public static partial int avformat_find_stream_info(nint ic, nint options);

    [LibraryImport(NativeLibraries.AvFormat)]
    public static partial int av_find_best_stream(nint ic, int type, int wanted_stream_nb, int related_stream, nint decoder_ret, int flags);

    [LibraryImport(NativeLibraries.AvFormat)]
    public static partial AVRational av_guess_frame_rate(nint ctx, nint stream, nint frame);

    [LibraryImport(NativeLibraries.AvFormat)]
    public static partial int av_read_frame(nint s, nint pkt);

    [LibraryImport(NativeLibraries.AvFormat)]
    public static partial int av_seek_frame(nint s, int stream_index, long timestamp, int flags);

    [LibraryImport(NativeLibraries.AvFormat)]
    public static partial void avformat_close_input(ref nint s);

    // libswscale/swscale.h

    [LibraryImport(NativeLibraries.SwScale)]
    public static partial nint sws_getCachedContext(
        nint context, int srcW, int srcH, int srcFormat, int dstW, int dstH, int dstFormat, int flags, nint srcFilter, nint dstFilter, nint param);

    [LibraryImport(NativeLibraries.SwScale)]
    public static partial int sws_scale(
        nint c, byte** srcSlice, int* srcStride, int srcSliceY, int srcSliceH, byte** dst, int* dstStride);

    [LibraryImport(NativeLibraries.SwScale)]
    public static partial void sws_freeContext(nint swsContext);
}
