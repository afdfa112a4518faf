using System.Collections.Concurrent;
using System.Threading.Channels;
using Agent.Home.Automations;
using Microsoft.Extensions.Logging;

namespace Agent.Home.Tests.Automations;

public sealed class AutomationRunnerTests : IAsyncDisposable
{
    private readonly EntityRegistry _registry = new();
    private readonly Channel<string> _published = Channel.CreateUnbounded<string>();
    private readonly ConcurrentQueue<string> _log = [];
    private readonly ConcurrentDictionary<string, string?> _kept = [];
    private readonly ManualResetEventSlim _gate = new(true);
    private AutomationRunner? _runner;

    public async ValueTask DisposeAsync()
    {
        if (_runner is not null) await _runner.DisposeAsync();
        _gate.Dispose();
    }

    private static AutomationOptions On(string state, params AutomationAction[] actions) =>
        new() { Name = "a", When = [new StateTrigger("relay", state, default)], Do = actions, Cooldown = default };

    private void Start(params AutomationOptions[] automations)
    {
        var outlets = new AutomationOutlets(Publish, name => _kept.GetValueOrDefault(name), (name, value) => _kept[name] = value);
        _runner = new AutomationRunner(automations, null, _registry, outlets, TimeProvider.System, new LogLines(_log));
        _runner.Start();
    }

    private void Publish(PublishAction message)
    {
        _gate.Wait();
        _published.Writer.TryWrite(message.Payload);
    }

    private void Register(Entity entity, string? value, CommandHandler? handler = null)
    {
        _registry.Register(entity, handler ?? ((command, _) =>
        {
            _registry.Publish(entity.Id, command);
            return new(CommandOutcome.Done);
        }));
        if (value is not null) _registry.Publish(entity.Id, value);
    }

    private async Task<string> NextAsync() => await _published.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    private async Task UntilAsync(Func<EntityState, bool> isReached, Action? then = null)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void See(EntityState state, EntityChange _)
        {
            if (isReached(state)) reached.TrySetResult();
        }

        _registry.Changed += See;
        then?.Invoke();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(20));
        _registry.Changed -= See;
    }

    /// <summary>The start itself tells when the automations watch.</summary>
    private async Task StartedAsync(params AutomationOptions[] automations)
    {
        Start([.. automations, new AutomationOptions { Name = "started", When = [new StartTrigger()], Do = [new PublishAction("t", "started")] }]);
        Assert.Equal("started", await NextAsync());
    }

    [Fact]
    public async Task A_change_sets_actions_off_that_are_taken_back_in_time()
    {
        Register(new SwitchEntity("relay", "Relay"), "OFF");
        Register(new LightEntity("lamp", "Lamp"), "0");
        Register(new SensorEntity(AutomationRunner.LastRunId("a"), "Last run"), null);
        await StartedAsync(On("on", new SetAction("lamp", "100", TimeSpan.FromMilliseconds(50)), new PublishAction("t", "lit")));
        List<string> values = [];
        await UntilAsync(
            state =>
            {
                if (state.Entity.Id == "lamp") values.Add(state.Value!);
                return values is [_, "0"];
            },
            () => _registry.Publish("relay", "ON"));
        Assert.Equal(["100", "0"], values);
        Assert.Equal("lit", await NextAsync());
        Assert.InRange(DateTimeOffset.Parse(_registry.Find("automation_a_last_run")!.Value!, null), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.Null(_kept["automation.a.undo.lamp"]);
    }

    [Fact]
    public async Task Its_switch_puts_an_automation_out_of_force()
    {
        Register(new SwitchEntity("relay", "Relay"), "OFF");
        Register(new SwitchEntity(AutomationRunner.SwitchId("a"), "A"), "OFF");
        var other = On("on", new PublishAction("t", "other")) with { Name = "b" };
        await StartedAsync(On("on", new PublishAction("t", "seen")), other);
        _registry.Publish("relay", "ON");
        Assert.Equal("other", await NextAsync());
        _registry.Publish("relay", "OFF");
        await _registry.ExecuteAsync("automation_a", "ON", default);
        _registry.Publish("relay", "ON");
        Assert.Equal(["other", "seen"], new[] { await NextAsync(), await NextAsync() }.Order());
    }

    [Fact]
    public async Task One_that_names_nothing_that_exists_is_unavailable_and_the_others_work()
    {
        Register(new SwitchEntity("relay", "Relay"), "OFF");
        Register(new SwitchEntity(AutomationRunner.SwitchId("b"), "B"), "ON");
        await StartedAsync(On("on", new PublishAction("t", "seen")), On("on", new SetAction("nothing", "on")) with { Name = "b" });
        _registry.Publish("relay", "ON");
        Assert.Equal("seen", await NextAsync());
        Assert.False(_registry.Find("automation_b")!.IsAvailable);
        Assert.Contains("Warning: Automation b is out of service: do[0]: there is no entity \"nothing\"; GET /api/entities lists what there is", _log);
        await UntilAsync(state => state is { Entity.Id: "automation_b", IsAvailable: true }, () => Register(new SwitchEntity("nothing", "N"), null));
    }

    [Fact]
    public async Task A_handler_that_throws_is_told_and_the_rest_goes_on()
    {
        Register(new SwitchEntity("relay", "Relay"), "OFF");
        Register(new ButtonEntity("broken", "Broken"), null, (_, _) => throw new InvalidOperationException("oops"));
        await StartedAsync(On("on", new PressAction("broken"), new PublishAction("t", "end")));
        _registry.Publish("relay", "ON");
        Assert.Equal("end", await NextAsync());
        Assert.Contains("Warning: Automation a: do[0] failed: the command failed; this is a bug", _log);
        await _runner!.DisposeAsync();
        Assert.Equal(1, _runner.Status[0].Failures);
    }

    [Fact]
    public async Task A_command_that_hangs_holds_up_neither_the_others_nor_the_end()
    {
        Register(new SwitchEntity("relay", "Relay"), "OFF");
        Register(new ButtonEntity("stuck", "Stuck"), null, async (_, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return CommandOutcome.Done;
        });
        await StartedAsync(On("on", new PressAction("stuck")), On("on", new PublishAction("t", "other")) with { Name = "b" });
        _registry.Publish("relay", "ON");
        Assert.Equal("other", await NextAsync());
        await _runner!.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Of_too_many_changes_the_oldest_are_dropped_and_counted()
    {
        const int Changes = 1000;
        Register(new SensorEntity("heat", "Heat"), "0");
        await StartedAsync(
            new AutomationOptions { Name = "a", When = [new ThresholdTrigger("heat", 0, true, 0, default)], Do = [new PublishAction("t", "begun")] },
            new AutomationOptions { Name = "b", When = [new StateTrigger("heat", $"{Changes}", default)], Do = [new PublishAction("t", "last")] });
        _gate.Reset();
        _registry.Publish("heat", "1");
        for (var i = 2; i <= Changes; i++) _registry.Publish("heat", $"{i}");
        _gate.Set();
        Assert.Equal(("begun", "last"), (await NextAsync(), await NextAsync()));
        Assert.InRange(_runner!.ChangesDropped, 1, Changes - 256);
    }

    private sealed class LogLines(ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
