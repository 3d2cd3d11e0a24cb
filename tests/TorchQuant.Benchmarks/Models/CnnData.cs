using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>A CNN with a batch of images, and its scores from libtorch's float operators.</summary>
internal sealed class CnnData
{
    public CnnData(CnnModel model, int batch)
    {
        (Model, Batch, Images) = (model, batch, model.Images(batch));
        Expected = TorchCnn.FloatScores(this);
    }

    public CnnModel Model { get; }

    public CnnPlan Plan => Model.Plan;

    public int Batch { get; }

    /// <summary>[batch, 3, size, size].</summary>
    public float[] Images { get; }

    /// <summary>[batch, classes].</summary>
    public float[] Expected { get; }

    /// <summary>The images, channels last in memory.</summary>
    public Tensor ImagesChannelsLast() => TorchCnn.ChannelsLast(tensor(Images).reshape(Batch, 3, Plan.ImageSize, Plan.ImageSize));
}
