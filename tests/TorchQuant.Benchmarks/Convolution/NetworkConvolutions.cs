namespace TorchQuant.Benchmarks.Convolution;

/// <summary>
/// Every distinct convolution of ResNet-18, ResNet-50 and MobileNetV2 on images of 224 x 224 (He et al. 2015; Sandler et al. 2018; strides as torchvision has them), and the larger depthwise
/// kernels of MobileNetV3-Large, EfficientNet-B0 and ConvNeXt-Tiny (Howard et al. 2019; Tan and Le 2019; Liu et al. 2022).
/// </summary>
internal static class NetworkConvolutions
{
    private const int ImageSize = 224, Colors = 3;

    public static IEnumerable<ConvShape> All(int batch) => ResNet18(batch).Concat(ResNet50(batch)).Concat(MobileNetV2(batch)).Concat(LargeDepthwise(batch)).Distinct();

    private static IEnumerable<ConvShape> ResNet18(int batch)
    {
        yield return new ConvShape(batch, Colors, 64, 7, 2, ImageSize);
        int channels = 64, size = 56;
        foreach (int width in (int[])[64, 128, 256, 512])
        {
            for (int block = 0; block < 2; block++)
            {
                int stride = block == 0 && width > 64 ? 2 : 1;
                yield return new ConvShape(batch, channels, width, 3, stride, size);
                if (channels != width)
                    yield return new ConvShape(batch, channels, width, 1, stride, size);
                (channels, size) = (width, size / stride);
                yield return new ConvShape(batch, width, width, 3, 1, size);
            }
        }
    }

    private static IEnumerable<ConvShape> ResNet50(int batch)
    {
        const int Expansion = 4;
        int channels = 64, size = 56;
        foreach ((int width, int blocks) in ((int, int)[])[(64, 3), (128, 4), (256, 6), (512, 3)])
        {
            for (int block = 0; block < blocks; block++)
            {
                int stride = block == 0 && width > 64 ? 2 : 1;
                yield return new ConvShape(batch, channels, width, 1, 1, size);
                yield return new ConvShape(batch, width, width, 3, stride, size);
                if (block == 0)
                    yield return new ConvShape(batch, channels, Expansion * width, 1, stride, size);
                (channels, size) = (Expansion * width, size / stride);
                yield return new ConvShape(batch, width, channels, 1, 1, size);
            }
        }
    }

    private static IEnumerable<ConvShape> MobileNetV2(int batch)
    {
        yield return new ConvShape(batch, Colors, 32, 3, 2, ImageSize);
        int channels = 32, size = ImageSize / 2;
        foreach ((int expansion, int width, int blocks, int firstStride) in ((int, int, int, int)[])[(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)])
        {
            for (int block = 0; block < blocks; block++)
            {
                int stride = block == 0 ? firstStride : 1, hidden = expansion * channels;
                if (expansion > 1)
                    yield return new ConvShape(batch, channels, hidden, 1, 1, size);
                yield return new ConvShape(batch, hidden, hidden, 3, stride, size, hidden);
                size /= stride;
                yield return new ConvShape(batch, hidden, width, 1, 1, size);
                channels = width;
            }
        }

        yield return new ConvShape(batch, channels, 1280, 1, 1, size);
    }

    private static IEnumerable<ConvShape> LargeDepthwise(int batch)
    {
        (int Kernel, int Stride, int Channels, int Size)[] layers =
        [
            (5, 2, 72, 56), (5, 1, 120, 28), (5, 2, 672, 14), (5, 1, 960, 7),
            (5, 2, 144, 56), (5, 1, 240, 28), (5, 1, 480, 14), (5, 1, 672, 14), (5, 1, 1152, 7),
            (7, 1, 96, 56), (7, 1, 192, 28), (7, 1, 384, 14), (7, 1, 768, 7),
        ];
        foreach ((int kernel, int stride, int channels, int size) in layers)
            yield return new ConvShape(batch, channels, channels, kernel, stride, size, channels);
    }
}
