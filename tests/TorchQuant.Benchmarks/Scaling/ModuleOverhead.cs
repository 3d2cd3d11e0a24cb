using System.Diagnostics;
using TorchQuant.Benchmarks.Micro;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Scaling;

/// <summary>What a call of an int8 module takes beyond its kernel, in the time during which the thread has a core: whatever else the machine does, it is the same.</summary>
internal static class ModuleOverhead
{
    private const int Rounds = 200, Calls = 200;

    /// <summary>A line for each module.</summary>
    public static IEnumerable<string> Describe()
    {
        var modules = new ModuleBenchmarks();
        modules.Prepare();
        yield return Line("QuantizedLinear 1x64x64", modules.LinearKernel, modules.LinearModule);
        yield return Line("QuantizedConvolution 1x1 16 @7", modules.ConvolutionKernel, modules.ConvolutionModule);
        yield return Line("DynamicQuantizedLinear 1x64x64", modules.DynamicKernel, modules.DynamicModule);
    }

    private static string Line(string name, Action kernel, Action module)
    {
        (double own, _) = Call(kernel);
        (double whole, double bytes) = Call(module);
        return FormattableString.Invariant($"{name}: kernel {own:0.00} us, module {whole:0.00} us, {whole - own:0.00} us more, {bytes:0} managed bytes a call");
    }

    private static (double Microseconds, double Bytes) Call(Action action)
    {
        double least = double.PositiveInfinity, bytes = double.PositiveInfinity;
        for (int round = 0; round < Rounds; round++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            double start = Seconds();
            for (int i = 0; i < Calls; i++)
                action();
            least = Math.Min(least, (Seconds() - start) / Calls);
            bytes = Math.Min(bytes, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)Calls);
        }

        return (1e6 * least, bytes);
    }

    private static double Seconds() => ThreadTime.Seconds ?? Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
}
