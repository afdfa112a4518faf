using Agent;
using Agent.CommandLine;

return await AgentCommandLine.InvokeAsync(args, AgentHost.RunAsync, Console.Out, Console.Error);
