using TorchSharp;
using Xunit;

namespace TorchQuant.Tests.Native;

public class TorchNativeTests
{
    [Fact]
    public void Torch_computes_after_the_native_library_was_loaded()
    {
        TorchNative.EnsureLoaded();
        using var ones = torch.ones(2, 3);
        using var sum = ones.sum();
        Assert.Equal(6f, sum.item<float>());
    }
}
