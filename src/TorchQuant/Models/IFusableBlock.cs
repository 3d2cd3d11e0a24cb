namespace TorchQuant.Models;

/// <summary>A block that knows which of its modules fuse.</summary>
internal interface IFusableBlock
{
    /// <summary>Lists for <c>fuse_modules</c>.</summary>
    /// <param name="path">The block's dotted name in the model.</param>
    IEnumerable<IReadOnlyList<string>> Groups(string path);
}
