namespace Agent.Home.Tests;

public sealed class EntityRegistryTests
{
    private readonly EntityRegistry _registry = new();
    private readonly List<string> _changes = [];

    public EntityRegistryTests() => _registry.Changed += (state, change) => _changes.Add($"{change} {state.Entity.Id} {state.Value ?? "-"} {state.IsAvailable}");

    private ValueTask<CommandOutcome> Take(string id, string value)
    {
        _registry.Publish(id, value);
        return new(CommandOutcome.Done);
    }

    [Fact]
    public async Task A_command_reaches_its_handler_in_canonical_form_and_the_same_one_again_changes_nothing()
    {
        _registry.Register(new SwitchEntity("relay", "Relay"), (value, _) => Take("relay", value));
        Assert.True((await _registry.ExecuteAsync("relay", " on ", default)).IsDone);
        Assert.True((await _registry.ExecuteAsync("relay", "ON", default)).IsDone);
        Assert.Equal(["Registered relay - True", "State relay ON True"], _changes);
    }

    [Fact]
    public async Task What_cannot_be_carried_out_says_why()
    {
        _registry.Register(new SwitchEntity("relay", "Relay"), (value, _) => Take("relay", value));
        _registry.Register(new SensorEntity("heat", "Heat"));
        Assert.Equal("there is no entity \"x\"", (await _registry.ExecuteAsync("x", "ON", default)).Problem);
        Assert.Equal("heat takes no commands", (await _registry.ExecuteAsync("heat", "ON", default)).Problem);
        Assert.Equal("relay takes ON or OFF, not \"maybe\"", (await _registry.ExecuteAsync("relay", "maybe", default)).Problem);
        _registry.SetAvailable("relay", false);
        Assert.Equal("relay is unavailable", (await _registry.ExecuteAsync("relay", "ON", default)).Problem);
    }

    [Fact]
    public void An_event_of_the_same_type_is_another_event()
    {
        _registry.Register(new EventEntity("bell", "Bell", ["press"]));
        _registry.Publish("bell", "press");
        _registry.Publish("bell", "press");
        _registry.Remove("bell");
        Assert.Equal(["Registered bell - True", "State bell press True", "State bell press True", "Removed bell press True"], _changes);
        Assert.Null(_registry.Find("bell"));
    }

    [Theory]
    [InlineData("5", "5")]
    [InlineData("7.4", "7.5")]
    [InlineData("1e1", "10")]
    public void A_number_is_taken_to_its_step(string command, string expected)
    {
        Assert.True(new NumberEntity("n", "N", 5, 10, 0.5).TryRead(command, out var value, out _));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("4.9")]
    [InlineData("NaN")]
    [InlineData("ten")]
    [InlineData("")]
    public void A_number_outside_its_range_is_refused_with_the_range(string command)
    {
        Assert.False(new NumberEntity("n", "N", 5, 10).TryRead(command, out _, out var problem));
        Assert.Equal($"n takes a number from 5 to 10, not \"{command}\"", problem);
    }

    [Theory]
    [InlineData("on", "ON")]
    [InlineData("0", "0")]
    [InlineData("100", "100")]
    public void A_light_takes_a_brightness_in_percent_or_on_and_off(string command, string expected)
    {
        Assert.True(new LightEntity("l", "L").TryRead(command, out var value, out _));
        Assert.Equal(expected, value);
    }

    [Fact]
    public void Ids_are_checked()
    {
        Assert.Throws<ArgumentException>(() => _registry.Register(new SensorEntity("Upper", "U")));
        _registry.Register(new SensorEntity("a", "A"));
        Assert.Throws<ArgumentException>(() => _registry.Register(new SensorEntity("a", "A")));
    }
}
