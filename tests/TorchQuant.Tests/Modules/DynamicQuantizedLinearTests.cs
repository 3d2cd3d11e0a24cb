using TorchQuant.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

public class DynamicQuantizedLinearTests
{
    [Fact]
    public void State_dict_gives_plain_tensors_and_load_state_dict_changes_what_is_computed()
    {
        using var scope = NewDisposeScope();
        using var first = nn.Linear(20, 10);
        using var second = nn.Linear(20, 10);
        using var a = nn.Sequential(("fc", DynamicQuantizedLinear.from_float(first, quantization.default_dynamic_qconfig, "fc")));
        using var b = nn.Sequential(("fc", DynamicQuantizedLinear.from_float(second, quantization.default_dynamic_qconfig, "fc")));
        var x = randn(3, 20);
        var expected = a.call(x);
        var before = b.call(x);
        Assert.False(expected.Equals(before));
        var state = a.state_dict();
        Assert.Equal(["fc.bias", "fc.weight", "fc.weight_scale", "fc.weight_zero_point"], state.Keys.Order());
        b.load_state_dict(state);
        Assert.True(expected.Equals(b.call(x)));
    }
}
