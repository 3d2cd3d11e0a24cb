using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Times forward passes honestly: warm-up runs first, every run measured on its own, the median and the spread reported, the machine named. Candidates that are
/// compared run in turns (A B C, A B C, ...), in one process and with the same number of threads. Runs without gradients and with a DisposeScope of its own round each.
/// </summary>
public static class InferenceTimer
{
    /// <summary>Times one piece of work.</summary>
    /// <param name="name">What it is called in the result.</param>
    /// <param name="work">One run, e.g. a forward pass; tensors it makes are disposed after it, outside of the time.</param>
    /// <param name="runs">Measured runs, at least 1.</param>
    /// <param name="warmUp">Runs before that, not measured: they let the runtime compile and the caches fill.</param>
    /// <param name="threads">Threads to use during the measurement (torch.set_num_threads, put back afterwards); null: as set now.</param>
    /// <param name="progress">Told the share that is done, 0 to 1, between runs.</param>
    /// <exception cref="ArgumentOutOfRangeException">No runs, a negative warm-up or no threads.</exception>
    public static TimingComparison Measure(string name, Action work, int runs = 30, int warmUp = 5, int? threads = null, IProgress<double>? progress = null)
        => Compare([(name, work)], runs, warmUp, threads, progress);

    /// <summary>Times several candidates in turns; the first is the baseline of the ratios.</summary>
    /// <param name="candidates">Names and one run of each; tensors a run makes are disposed after it, outside of the time.</param>
    /// <param name="runs">Measured runs of each, at least 1.</param>
    /// <param name="warmUp">Runs of each before that, not measured.</param>
    /// <param name="threads">Threads to use during the measurement (torch.set_num_threads, put back afterwards); null: as set now.</param>
    /// <param name="progress">Told the share that is done, 0 to 1, between runs.</param>
    /// <exception cref="ArgumentException">No candidates.</exception>
    /// <exception cref="ArgumentOutOfRangeException">No runs, a negative warm-up or no threads.</exception>
    public static TimingComparison Compare(IReadOnlyList<(string Name, Action Work)> candidates, int runs = 30, int warmUp = 5, int? threads = null, IProgress<double>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        if (candidates.Count == 0) throw new ArgumentException("No candidate was given; give at least one name with its work.", nameof(candidates));
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(warmUp);
        if (threads is { } wanted) ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 1, nameof(threads));
        var before = get_num_threads();
        try
        {
            if (threads is { } count) set_num_threads(count);
            var times = candidates.Select(_ => new List<double>(runs)).ToList();
            for (var run = -warmUp; run < runs; run++)
            {
                for (var c = 0; c < candidates.Count; c++)
                {
                    var elapsed = Run(candidates[c].Work);
                    if (run >= 0) times[c].Add(elapsed);
                }

                progress?.Report((run + warmUp + 1) / (double)(runs + warmUp));
            }

            return new TimingComparison([.. candidates.Select((c, i) => new Timing(c.Name, times[i].AsReadOnly()))], Machine());
        }
        finally
        {
            set_num_threads(before);
        }
    }

    /// <summary>The machine and settings of this process now.</summary>
    public static TimingMachine Machine() => new(Cpu(), Isa.Current.Name, get_num_threads(), $"{RuntimeInformation.FrameworkDescription} {RuntimeInformation.RuntimeIdentifier}");

    private static double Run(Action work)
    {
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>The brand string of CPUID leaves 80000002h to 80000004h; on other processors the operating system's words.</summary>
    private static string Cpu()
    {
        if (X86Base.IsSupported && (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax >= 0x80000004)
        {
            Span<int> words = stackalloc int[12];
            for (var leaf = 0; leaf < 3; leaf++)
                (words[leaf * 4], words[(leaf * 4) + 1], words[(leaf * 4) + 2], words[(leaf * 4) + 3]) = X86Base.CpuId(unchecked((int)0x80000002) + leaf, 0);
            var brand = Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words)).TrimEnd('\0').Trim();
            if (brand.Length > 0) return brand;
        }

        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
