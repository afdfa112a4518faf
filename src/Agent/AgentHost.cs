using Agent.Configuration;

namespace Agent;

internal static class AgentHost
{
    public static Task<int> RunAsync(AgentOptions options) => throw new NotImplementedException();
}
