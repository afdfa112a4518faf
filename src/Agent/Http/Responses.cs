using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Agent.Http;

/// <summary>Writes bodies in the few shapes the agent has.</summary>
internal static class Responses
{
    private const string ProblemType = "application/problem+json";

    /// <summary>Answers with RFC 9457 problem details.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The status code.</param>
    /// <param name="detail">What was wrong and the mend.</param>
    /// <param name="retryAfter">When to try again, rounded up to whole seconds.</param>
    public static Task WriteProblemAsync(this HttpContext context, int status, string detail, TimeSpan? retryAfter = null)
    {
        if (retryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Max(1, Math.Ceiling(wait.TotalSeconds))).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        context.Response.StatusCode = status;
        return context.WriteJsonAsync(new Problem(ReasonPhrases.GetReasonPhrase(status), status, detail), AgentJson.Default.Problem, ProblemType);
    }

    /// <summary>Answers with JSON; the status code is whatever has been set.</summary>
    public static Task WriteJsonAsync<T>(this HttpContext context, T value, JsonTypeInfo<T> type, string contentType = "application/json")
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.Headers[HeaderNames.CacheControl] = "no-store";
        return context.WriteBytesAsync(body, contentType);
    }

    /// <summary>Answers with bytes; to HEAD with their length alone.</summary>
    public static Task WriteBytesAsync(this HttpContext context, ReadOnlyMemory<byte> body, string contentType)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
