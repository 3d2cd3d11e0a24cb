using Xunit;

namespace TorchQuant.Kernels.Tests;

public class Int8GemmTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 33, 7)]
    [InlineData(9, 65, 130)]
    public void Every_kernel_equals_the_reference_bit_for_bit(int m, int n, int k)
    {
        foreach (Isa isa in Isa.Available)
        {
            foreach (Scheme scheme in Enum.GetValues<Scheme>())
                GemmCase.Create(m, n, k, seed: m + n + k, scheme).AssertEqualsReference(isa, threads: 2);
        }
    }
}
