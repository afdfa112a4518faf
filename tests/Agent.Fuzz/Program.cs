using System.Diagnostics;
using Agent.Fuzz;

const int DefaultIterations = 20_000;
const string Usage = """
    Usage: Agent.Fuzz all|TARGET [ITERATIONS [SEED]]    mutates the target's seeds; exit 1 and the input in hex if it throws
           Agent.Fuzz TARGET -                          runs the target once on standard input (for AFL and for replaying a finding)
    """;

if (args.Length == 0)
{
    Console.Error.WriteLine(Usage);
    Console.Error.WriteLine("Targets: " + string.Join(' ', FuzzTargets.All.Select(target => target.Name)));
    return 2;
}

var targets = FuzzTargets.All.Where(target => args[0] == "all" || target.Name == args[0]).ToList();
if (targets.Count == 0)
{
    Console.Error.WriteLine($"There is no target '{args[0]}'. Targets: {string.Join(' ', FuzzTargets.All.Select(target => target.Name))}");
    return 2;
}

if (args is [_, "-"])
{
    using var input = new MemoryStream();
    using var standardInput = Console.OpenStandardInput();
    standardInput.CopyTo(input);
    targets[0].Run(input.ToArray());
    return 0;
}

var iterations = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : DefaultIterations;
var seed = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 1;
var failed = 0;
foreach (var target in targets)
{
    var mutator = new Mutator(target.Seeds, seed);
    var watch = Stopwatch.StartNew();
    byte[] input = [];
    try
    {
        for (var i = 0; i < iterations; i++)
        {
            input = mutator.Next();
            target.Run(input);
        }

        Console.WriteLine($"{target.Name}: {iterations} inputs from seed {seed} in {watch.Elapsed.TotalSeconds:F1} s");
    }
    catch (Exception exception)
    {
        failed++;
        Console.WriteLine($"{target.Name}: {exception}\ninput: {Convert.ToHexString(input)}");
    }
}

Console.WriteLine($"{targets.Count - failed} passed, {failed} failed");
return failed == 0 ? 0 : 1;
