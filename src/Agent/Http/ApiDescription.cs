namespace Agent.Http;

/// <summary>The OpenAPI document of everything the agent answers over HTTP.</summary>
internal static class ApiDescription
{
    private const string ResourceName = "openapi.json";

    private static readonly byte[] Document = Read();

    public static void Map(IEndpointRouteBuilder routes) => routes.MapMethods(
        "/api/openapi.json", [HttpMethods.Get, HttpMethods.Head], static context => context.WriteBytesAsync(Document, "application/json"));

    private static byte[] Read()
    {
        using var resource = typeof(ApiDescription).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"the build has no resource {ResourceName}");
        var document = new byte[resource.Length];
        resource.ReadExactly(document);
        return document;
    }
}
