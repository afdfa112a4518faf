using Agent.CommandLine;
using Agent.Configuration;

namespace Agent.Tests.CommandLine;

public sealed class AgentCommandLineTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private AgentOptions? _ran;

    private Task<int> InvokeAsync(params string[] arguments) => AgentCommandLine.InvokeAsync(
        arguments,
        options =>
        {
            _ran = options;
            return Task.FromResult(ExitCode.Failure);
        },
        _output,
        _error);

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task Run_without_a_file_runs_the_default_configuration_and_hands_its_exit_status_on()
    {
        Assert.Equal(ExitCode.Failure, await InvokeAsync("run"));
        Assert.Equal("main", _ran!.Cameras.Single().Name);
    }

    [Fact]
    public async Task Run_takes_the_file_that_config_names()
    {
        await File.WriteAllTextAsync(_file, """{ "cameras": { "porch": {} } }""");
        await InvokeAsync("run", "--config", _file);
        Assert.Equal("porch", _ran!.Cameras.Single().Name);
    }

    [Theory]
    [InlineData("run", "--config")]
    [InlineData("config", "check")]
    public async Task A_bad_file_is_2_and_runs_nothing(string command, string argument)
    {
        await File.WriteAllTextAsync(_file, "{ \"htp\": 1,\n \"webrtc\": { \"udpPort\": -1 } }");
        Assert.Equal(ExitCode.Usage, await InvokeAsync(command, argument, _file));
        Assert.Null(_ran);
        Assert.Equal(
            [
                $"{_file}:1:3: htp: unknown key; did you mean \"http\"?",
                $"{_file}:2:25: webrtc.udpPort: found the number -1; expected an integer from 0 to 65535.",
            ],
            _error.ToString().TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public async Task A_missing_file_is_2()
    {
        Assert.Equal(ExitCode.Usage, await InvokeAsync("run", "--config", "/nowhere/agent.json"));
        Assert.StartsWith("/nowhere/agent.json: cannot be read: ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_good_file_is_0()
    {
        await File.WriteAllTextAsync(_file, "{ /* all defaults */ }");
        Assert.Equal(ExitCode.Success, await InvokeAsync("config", "check", _file));
        Assert.Equal($"{_file}: good", _output.ToString().TrimEnd());
        Assert.Null(_ran);
    }

    [Fact]
    public async Task Config_schema_prints_the_schema()
    {
        Assert.Equal(ExitCode.Success, await InvokeAsync("config", "schema"));
        Assert.Equal(ConfigurationSchema.Write(), _output.ToString());
    }

    [Theory]
    [InlineData("rnu")]
    [InlineData("run", "--confg", "x")]
    [InlineData("run", "--config")]
    [InlineData("config", "check")]
    [InlineData]
    public async Task Bad_usage_is_2(params string[] arguments)
    {
        Assert.Equal(ExitCode.Usage, await InvokeAsync(arguments));
        Assert.NotEmpty(_error.ToString());
        Assert.Null(_ran);
    }

    [Fact]
    public async Task Help_and_version_are_0()
    {
        Assert.Equal(ExitCode.Success, await InvokeAsync("--help"));
        Assert.Contains("Exit status", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Success, await InvokeAsync("--version"));
    }
}
