using System.Runtime.InteropServices;

namespace Agent.Interop.OpenSsl;

/// <summary>The part of libcrypto (OpenSSL 3) that the DTLS code calls; names as in openssl/bio.h, err.h and x509.h.</summary>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    // openssl/bio.h
    internal const int BIO_TYPE_SOURCE_SINK = 0x0400;
    internal const int BIO_FLAGS_READ = 0x01;
    internal const int BIO_FLAGS_RWS = 0x07;
    internal const int BIO_FLAGS_SHOULD_RETRY = 0x08;
    internal const int BIO_CTRL_FLUSH = 11;

    // openssl/err.h: an error code is library << 23 | reason.
    internal const int ERR_LIB_SSL = 20;
    internal const int ERR_LIB_OFFSET = 23;
    internal const int ERR_LIB_MASK = 0xFF;
    internal const int ERR_REASON_MASK = 0x7FFFFF;

    // openssl/x509_vfy.h and openssl/evp.h
    internal const int X509_V_OK = 0;
    internal const int X509_V_ERR_CERT_REJECTED = 28;
    internal const int EVP_MAX_MD_SIZE = 64;
    internal const int EVP_PKEY_EC = 408;

    [LibraryImport(Library)]
    internal static partial int BIO_get_new_index();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint BIO_meth_new(int type, string name);

    [LibraryImport(Library)]
    internal static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Library)]
    internal static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Library)]
    internal static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, CLong, void*, CLong> ctrl);

    [LibraryImport(Library)]
    internal static partial int BIO_meth_set_destroy(nint method, delegate* unmanaged[Cdecl]<nint, int> destroy);

    [LibraryImport(Library)]
    internal static partial nint BIO_new(nint method);

    [LibraryImport(Library)]
    internal static partial void BIO_set_data(nint bio, nint data);

    [LibraryImport(Library)]
    internal static partial nint BIO_get_data(nint bio);

    [LibraryImport(Library)]
    internal static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Library)]
    internal static partial void BIO_clear_flags(nint bio, int flags);

    [LibraryImport(Library)]
    internal static partial CULong ERR_get_error();

    [LibraryImport(Library)]
    internal static partial void ERR_clear_error();

    [LibraryImport(Library)]
    internal static partial void ERR_error_string_n(CULong error, byte* buffer, nuint length);

    [LibraryImport(Library)]
    internal static partial nint X509_STORE_CTX_get0_cert(nint storeContext);

    [LibraryImport(Library)]
    internal static partial nint X509_STORE_CTX_get_ex_data(nint storeContext, int index);

    [LibraryImport(Library)]
    internal static partial void X509_STORE_CTX_set_error(nint storeContext, int error);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int X509_VERIFY_PARAM_set1_ip_asc(nint parameters, string address);

    [LibraryImport(Library)]
    internal static partial nint X509_verify_cert_error_string(CLong error);

    [LibraryImport(Library)]
    internal static partial int X509_digest(nint certificate, nint digest, byte* result, uint* length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint EVP_get_digestbyname(string name);
}
