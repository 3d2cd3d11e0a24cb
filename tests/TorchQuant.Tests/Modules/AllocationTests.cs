using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules;

public class AllocationTests
{
    /// <summary>The objects that wrap a call's tensors, and its arrays of sizes: nothing that grows with the data.</summary>
    private const long MostBytes = 1024;

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public void A_call_allocates_the_wrappers_of_its_tensors_and_nothing_that_grows_with_the_data(int batch)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (linear, row) = Converted(nn.Linear(128, 128), rand(batch, 128));
        var (convolution, picture) = Converted(nn.Conv2d(16, 16, 3, padding: 1), rand(batch, 16, 12, 12));
        var dynamic = (nn.Module<Tensor, Tensor>)quantization.quantize_dynamic(nn.Sequential(("linear", nn.Linear(128, 128))), [typeof(Linear)]).children().First();
        var real = rand(batch, 128);
        Assert.InRange(Least(linear, row), 0, MostBytes);
        Assert.InRange(Least(convolution, picture), 0, MostBytes);
        Assert.InRange(Least(dynamic, real), 0, MostBytes);
    }

    /// <summary>The least of many calls: the first fill pools and are compiled.</summary>
    private static long Least(nn.Module<Tensor, Tensor> module, Tensor x)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 200; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            module.call(x).Dispose();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }

    private static (nn.Module<Tensor, Tensor> Module, Tensor Input) Converted(nn.Module<Tensor, Tensor> layer, Tensor x)
    {
        var model = nn.Sequential(("quant", new QuantStub()), ("layer", layer), ("dequant", new DeQuantStub()));
        model.eval();
        model.qconfig = quantization.get_default_qconfig();
        var prepared = quantization.prepare(model);
        prepared.call(x).Dispose();
        var modules = quantization.convert(prepared).children().ToArray();
        return ((nn.Module<Tensor, Tensor>)modules[1], ((nn.Module<Tensor, Tensor>)modules[0]).call(x));
    }
}
