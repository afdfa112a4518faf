using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Agent.Configuration;
using Agent.Devices;
using Agent.Home;
using Agent.Http;
using Agent.Mqtt;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Http;

/// <summary>The real HTTP side on a port of the kernel's choice, over a fake media loop.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app, FakeGateway gateway)
    {
        _app = app;
        Gateway = gateway;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Client = new HttpClient { BaseAddress = new Uri(addresses.Single()) };
    }

    public FakeGateway Gateway { get; }

    public HttpClient Client { get; }

    public IEnumerable<Endpoint> Endpoints => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(static source => source.Endpoints);

    public static async Task<TestServer> StartAsync(
        HttpOptions? http = null, BrokerOptions? mqtt = null, CameraStatus[]? cameras = null, MqttStatus? broker = null, PageFiles? page = null, EntityRegistry? entities = null,
        params CameraPipeline[] units)
    {
        var options = new AgentOptions { Http = (http ?? new HttpOptions()) with { Listen = new IPEndPoint(IPAddress.Loopback, 0) }, Mqtt = mqtt ?? new BrokerOptions() };
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        HttpServer.Configure(builder, options.Http);
        var app = builder.Build();
        var gateway = new FakeGateway();
        var state = new AgentState(gateway, () => cameras ?? [Camera()], () => broker, TimeProvider.System)
        {
            Entities = entities ?? new EntityRegistry(),
            Units = units.ToDictionary(static unit => unit.Options.Name, static unit => new CameraUnit(unit, new CameraPrivacy(unit, new PersistentState(null, NullLogger<PersistentState>.Instance)))),
        };
        HttpServer.Map(app, options, state, page ?? new PageFiles(typeof(TestServer).Assembly));
        await app.StartAsync();
        return new TestServer(app, gateway);
    }

    public static CameraStatus Camera(string name = "main", bool isProducing = true, string? error = null) => new(
        name, "test", "libx264", isProducing, error, 1280, 720, 29.97, 1_900_000, 2_000_000, "42e01f", 100, 99, 1, 5, 0);

    public static MqttStatus Broker(bool connected, string? error = null) => new(connected, "b:1883", "5", 2, 10, 3, 4, error);

    public Task<HttpResponseMessage> SendAsync(
        string method, string path, string? body = null, string? contentType = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request);
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
