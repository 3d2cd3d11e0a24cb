using System.Diagnostics;
using System.Runtime.CompilerServices;
using TorchQuant.Kernels.Generated;
using Xunit;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>A system that does not let memory become executable, as hardened ones do not. The table of rows is made once in a process, so what becomes of it is seen in a process of its own.</summary>
public unsafe class RefusedPagesTests
{
    private const string Variable = "TORCHQUANT_TESTS_REFUSE_PAGES", NoVnni = "the processor has no 512-bit VNNI, memory cannot be made executable, or this is Windows, which has no mprotect", OnlyInChild = $"for a process of its own: {Variable} is not set";

    /// <summary>Bits that mean nothing: mprotect answers EINVAL.</summary>
    private const int Nonsense = 0x4000_0000;

    public static bool IsSupportedOnSystemV => Avx512VnniMicroKernel.IsSupported && !OperatingSystem.IsWindows();

    public static bool IsChild => Environment.GetEnvironmentVariable(Variable) is not null;

    /// <summary>Before anything else: the table is made when the tests are discovered.</summary>
    [ModuleInitializer]
    internal static void Refuse()
    {
        if (IsChild)
            ExecutableMemory.CodeProtection = Nonsense;
    }

    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupportedOnSystemV))]
    public void Without_executable_pages_the_next_row_is_the_best()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(RefusedPagesTests).Assembly.Location);
        start.ArgumentList.Add("--filter-method");
        start.ArgumentList.Add($"{typeof(RefusedPagesTests).FullName}.{nameof(Child)}");
        start.Environment[Variable] = "1";
        start.Environment.Remove(Isa.EnvironmentVariable);
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains("succeeded: 1", output);
    }

    [Fact(Skip = OnlyInChild, SkipUnless = nameof(IsChild))]
    public void Child()
    {
        byte[] code = new byte[1 << 24];
        Assert.True(ExecutableMemory.TryPlace(code) == null);

        // What was refused is given back: 64 times 16 MB would be seen.
        using var self = Process.GetCurrentProcess();
        long before = self.VirtualMemorySize64;
        for (int i = 0; i < 64; i++)
            Assert.True(ExecutableMemory.TryPlace(code) == null);
        self.Refresh();
        Assert.InRange(self.VirtualMemorySize64 - before, long.MinValue, 32L * code.Length);

        Assert.DoesNotContain(Isa.Available, row => row.Name == "avx512-vnni");
        Assert.Equal(Isa.Available[0], Isa.Current);
        Assert.Contains("this machine does not support", Assert.Throws<PlatformNotSupportedException>(() => Isa.Select("avx512-vnni")).Message);
        GemmCase.Create(m: 30, n: 70, k: 45, seed: 1, Scheme.PerChannelAffine).AssertEqualsReference(Isa.Current, threads: 1);
    }
}
