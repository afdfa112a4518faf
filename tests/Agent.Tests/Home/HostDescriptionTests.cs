using System.Net;
using Agent.Home;

namespace Agent.Tests.Home;

public sealed class HostDescriptionTests
{
    [Theory]
    [InlineData("127.0.0.1:8080", null)]
    [InlineData("[::1]:8080", null)]
    [InlineData("0.0.0.0:8080", "http://porch.local:8080/")]
    [InlineData("[::]:80", "http://porch.local:80/")]
    [InlineData("192.168.1.20:8080", "http://192.168.1.20:8080/")]
    [InlineData("[fd00::1]:8080", "http://[fd00::1]:8080/")]
    public void The_page_is_where_other_machines_reach_it(string listen, string? expected) =>
        Assert.Equal(expected, HostDescription.PageUrl(IPEndPoint.Parse(listen), "Porch"));
}
