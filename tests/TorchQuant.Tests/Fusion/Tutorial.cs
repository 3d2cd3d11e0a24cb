using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>The small model of PyTorch's static quantization example, without its stubs.</summary>
internal sealed class Tutorial : MTT
{
    public MTT conv = nn.Conv2d(3, 8, 3, stride: 2, padding: 1);
    public MTT batchnorm = nn.BatchNorm2d(8);
    public MTT relu = nn.ReLU();

    public Tutorial() : base(nameof(Tutorial)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var a = conv.call(input);
        using var b = batchnorm.call(a);
        return relu.call(b);
    }
}
