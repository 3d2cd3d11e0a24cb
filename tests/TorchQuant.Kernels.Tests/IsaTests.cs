using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class IsaTests
{
    [Fact]
    public void The_scalar_row_is_always_there_and_the_last() => Assert.Equal("scalar", Isa.Available[^1].Name);

    [Fact]
    public void The_current_row_is_the_best_or_the_forced_one() =>
        Assert.Equal(Environment.GetEnvironmentVariable(Isa.EnvironmentVariable) ?? Isa.Available[0].Name, Isa.Current.Name);

    [Fact]
    public void Every_available_row_can_be_forced_by_its_name() => Assert.All(Isa.Available, row => Assert.Same(row, Isa.Select(row.Name)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_a_name_the_best_row_is_taken(string? name) => Assert.Same(Isa.Available[0], Isa.Select(name));

    [Fact]
    public void An_unknown_name_is_an_error_that_lists_the_known()
    {
        string message = Assert.Throws<PlatformNotSupportedException>(() => Isa.Select("sse9")).Message;
        Assert.Contains("TORCHQUANT_ISA is 'sse9', which is not known", message);
        Assert.Contains("known: avx512-vnni, avx-vnni, avx512bw, avx2, dotprod, neon, scalar", message);
    }

    [Fact]
    public void A_name_that_this_machine_does_not_support_is_told_from_an_unknown_one()
    {
        string[] known = ["avx512-vnni", "avx-vnni", "avx512bw", "avx2", "dotprod", "neon", "scalar"];
        foreach (string name in known.Except(Isa.Available.Select(row => row.Name)))
            Assert.Contains("this machine does not support", Assert.Throws<PlatformNotSupportedException>(() => Isa.Select(name)).Message);
        Assert.Equal((Dp.IsSupported, AdvSimd.Arm64.IsSupported), (IsAvailable("dotprod"), IsAvailable("neon")));
        Assert.Equal((AvxVnni.IsSupported, Avx2.IsSupported), (IsAvailable("avx-vnni"), IsAvailable("avx2")));
        Assert.Subset(known.ToHashSet(), Isa.Available.Select(row => row.Name).ToHashSet());
    }

    private static bool IsAvailable(string name) => Isa.Available.Any(row => row.Name == name);
}
