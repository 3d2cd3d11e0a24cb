using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// Images in a folder for each class, as torchvision's <c>datasets.ImageFolder</c> finds them: <c>root/ants/1.jpg</c>, <c>root/bees/2.png</c>. Only names are held: an image is read when it is asked for, by
/// <see cref="GetTensor"/> or, in batches, by TorchSharp's <c>torch.utils.data.DataLoader(folder, batchSize, shuffle: true, num_worker: 2)</c>, whose batches have the keys of <see cref="GetTensor"/>.
/// </summary>
public sealed class ImageFolder : utils.data.Dataset
{
    private const int MostNames = 5;

    // What torchvision reads: those that are read here, and those that are not.
    private static readonly HashSet<string> s_read = new([".jpg", ".jpeg", ".png", ".bmp"], StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> s_notRead = new([".ppm", ".pgm", ".tif", ".tiff", ".webp"], StringComparer.OrdinalIgnoreCase);

    private readonly Func<Tensor, Tensor>? _transform;

    /// <summary>Lists the folder.</summary>
    /// <param name="root">The folder of the classes' folders. Images may lie deeper in these; other files are passed over.</param>
    /// <param name="transform">Makes of an image, bytes [3, height, width], what <see cref="GetTensor"/> gives, <see cref="ImageClassification.call"/> for example; it may run in several threads. Null
    /// leaves images as they are, which then only go into a batch together if they have one size.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">It has no folders, or one of them has no images.</exception>
    /// <exception cref="NotSupportedException">There are images that torchvision reads and this class does not: .ppm, .pgm, .tif, .tiff, .webp.</exception>
    public ImageFolder(string root, Func<Tensor, Tensor>? transform = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        _transform = transform;
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(root)}. Expected one that has a folder of images for each class, such as {Path.Combine(root, "ants")} and {Path.Combine(root, "bees")}.");
        classes = [.. Directory.EnumerateDirectories(root).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];
        if (classes.Count == 0)
            throw new FileNotFoundException($"{root} has no folders, where one for each class was expected. Put the images of each class into a folder of its name.", root);
        class_to_idx = classes.Select((name, index) => (name, index)).ToDictionary(c => c.name, c => (long)c.index, StringComparer.Ordinal);
        samples = [.. classes.SelectMany(name => Images(Path.Combine(root, name)).Select(path => (path, class_to_idx[name])))];
        Check(root);
    }

    /// <summary>The names of the folders, sorted; a label is a place in this list.</summary>
    public IReadOnlyList<string> classes { get; }

    /// <summary>The label of each class.</summary>
    public IReadOnlyDictionary<string, long> class_to_idx { get; }

    /// <summary>Path and label of each image: by class, then by path.</summary>
    public IReadOnlyList<(string path, long target)> samples { get; }

    /// <summary>How many images there are.</summary>
    public override long Count => samples.Count;

    /// <summary>Reads an image.</summary>
    /// <param name="index">A place in <see cref="samples"/>.</param>
    /// <returns>"data": what the transform made of the image; "label": int64 [].</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a JPEG, PNG or BMP. (A DataLoader puts it into an AggregateException.)</exception>
    public override Dictionary<string, Tensor> GetTensor(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var (path, target) = samples[(int)index];
        var image = ImageFile.Read(path);
        try
        {
            var data = _transform is null ? image : _transform(image);
            if (!ReferenceEquals(data, image)) image.Dispose();
            return new() { ["data"] = data, ["label"] = tensor(target, device: CPU) };
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    // torchvision's order: sorted by folder, then by name, by code points.
    private static IEnumerable<string> Images(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => s_read.Contains(Path.GetExtension(path)) || s_notRead.Contains(Path.GetExtension(path)))
            .OrderBy(Path.GetDirectoryName, StringComparer.Ordinal).ThenBy(Path.GetFileName, StringComparer.Ordinal);

    private void Check(string root)
    {
        List<string> notRead = [.. samples.Select(s => s.path).Where(path => s_notRead.Contains(Path.GetExtension(path)))];
        if (notRead.Count > 0)
            throw new NotSupportedException($"{root} has {notRead.Count} images of a kind that is not read here: {Few(notRead)}. Expected {string.Join(", ", s_read)}; convert them to .png.");
        var filled = samples.Select(s => s.target).ToHashSet();
        List<string> empty = [.. classes.Where((_, index) => !filled.Contains(index)).Select(name => Path.Combine(root, name))];
        if (empty.Count > 0)
            throw new FileNotFoundException($"There are no images ({string.Join(", ", s_read)}) in {Few(empty)}. Put images there, or remove the folder.", empty[0]);
    }

    private static string Few(List<string> names) => string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");
}
