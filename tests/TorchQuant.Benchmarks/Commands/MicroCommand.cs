using System.CommandLine;
using BenchmarkDotNet.Running;
using TorchQuant.Benchmarks.Micro;

namespace TorchQuant.Benchmarks.Commands;

/// <summary>The command <c>micro</c>: single kernels with BenchmarkDotNet, whose own options follow.</summary>
internal static class MicroCommand
{
    public static Command Create()
    {
        var rest = new Argument<string[]>("options") { Arity = ArgumentArity.ZeroOrMore, Description = "BenchmarkDotNet's options after '--', for example -- --filter '*Gemm*' --job short; all benchmarks without." };
        var command = new Command("micro", "Times single kernels with BenchmarkDotNet.") { rest };
        command.SetAction(result =>
        {
            string[] options = result.GetRequiredValue(rest);
            var summaries = BenchmarkSwitcher.FromAssembly(typeof(MicroCommand).Assembly).Run(options.Length == 0 ? ["--filter", "*"] : options, MicroConfig.Create());
            return summaries.Any() && summaries.All(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;
        });
        return command;
    }
}
