using System.IO.Compression;
using TorchQuant.Models;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public sealed class PretrainedWeightsErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string[]> Changes => new()
    {
        { "missing", ["layer2.0.conv1.weight: found nothing, expected Float32 [16, 8, 3, 3].", "What is missing: take the file of the same architecture"] },
        { "extra", ["layer5.0.conv1.weight: found Float32 [2], expected nothing of that name.", "What is not expected: make the model that the file was written from"] },
        { "counter of no norm", ["layer1.0.num_batches_tracked: found Int64 [], expected nothing of that name."] },
        { "classes", ["fc.weight: found Float32 [7, 64], expected Float32 [5, 64].", "Other shapes: make the model with the sizes of the file, or leave the module out (the classifier, for other classes: `LoadWeights(path, head: false)`"] },
        { "type", ["bn1.weight: found Float64 [8], expected Float32 [8], or Float32, Float16 or BFloat16.", "Other types: convert the tensors"] },
        { "counter type", ["bn1.num_batches_tracked: found Float32 [], expected Int64 [].", "Other types: convert the tensors"] },
        { "nan", ["conv1.weight: found 2 of 1176 values that are NaN or infinite, expected finite numbers of Float32.", "Values that are not finite: get the file again"] },
        { "nan in half precision", ["layer1.0.bn2.running_var: found 1 of 8 values that are NaN or infinite"] },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void What_does_not_fit_is_named_and_the_model_unchanged(string change, string[] expected)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var saved = WeightsFiles.Model("resnet18", seed: 1);
        var state = WeightsFiles.Clone(saved.state_dict());
        Change(state, change);
        var path = WeightsFiles.SafeTensors(_folder, state);
        var message = Refusal(path);
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains("ResNet, which is unchanged", message, StringComparison.Ordinal);
        Assert.All(expected, text => Assert.Contains(text, message, StringComparison.Ordinal));
        Assert.Equal(3, message.Split('\n').Length); // that alone, and its mend
    }

    [Fact]
    public void Everything_that_does_not_fit_is_listed_at_once_up_to_twenty()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var saved = WeightsFiles.Model("resnet18", seed: 1);
        var state = WeightsFiles.Clone(saved.state_dict());
        foreach (var change in new[] { "missing", "extra", "type", "nan" }) Change(state, change);
        Assert.Equal(1 + 4 + 4, Refusal(WeightsFiles.SafeTensors(_folder, state)).Split('\n').Length);
        // The file of another architecture.
        using var other = WeightsFiles.Model("mobilenet_v2", seed: 1);
        var lines = Refusal(WeightsFiles.TorchScript(_folder, other)).Split('\n');
        Assert.Equal(1 + 20 + 1 + 2, lines.Length);
        var counters = saved.state_dict().Keys.Count(n => n.EndsWith("num_batches_tracked", StringComparison.Ordinal));
        Assert.Equal($"  and {saved.state_dict().Count - counters + other.state_dict().Count - 20} more", lines[^3]);
    }

    [Fact]
    public void Files_of_torch_save_are_refused_with_the_line_that_converts_them()
    {
        var zip = _folder.File("resnet18-f37072fd.pth");
        using (var archive = ZipFile.Open(zip, ZipArchiveMode.Create))
        {
            TorchScriptArchive.Entry(archive, "data.pkl", [0x80, 2, (byte)'}', (byte)'.']);
            TorchScriptArchive.Entry(archive, "byteorder", "little"u8.ToArray());
            TorchScriptArchive.Entry(archive, "data/0", new byte[16]);
            TorchScriptArchive.Entry(archive, "version", "3\n"u8.ToArray());
        }

        // Before PyTorch 1.6: pickles one after the other, the first of which is a magic number.
        var old = _folder.File("mobilenet_v2-b0353104.pth");
        File.WriteAllBytes(old, [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.', 0x80, 2, (byte)'M', 0xE9, 3, (byte)'.']);
        foreach (var path in new[] { zip, old })
        {
            var message = Refusal(path);
            Assert.Contains(path, message, StringComparison.Ordinal);
            Assert.Contains("torch.save", message, StringComparison.Ordinal);
            var name = Path.GetFileNameWithoutExtension(path);
            Assert.Contains(
                $"python -c \"import torch, safetensors.torch as s; s.save_file(torch.load('{name}.pth', map_location='cpu', weights_only=True), '{name}.safetensors')\"", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_safetensors_file_whose_header_begins_like_a_pickle_is_read()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("a", nn.Linear(1, 1)));
        var path = _folder.File("weights.safetensors");
        for (var filler = 0; ; filler++)
        {
            SafeTensors.Write(path, model.state_dict(), new Dictionary<string, string> { ["filler"] = new('x', filler) });
            if (File.ReadAllBytes(path)[..3].AsSpan().SequenceEqual<byte>([0x80, 2, 0])) break; // 640 bytes of header
            Assert.InRange(filler, 0, 640);
        }

        Assert.Equal(2, PretrainedWeights.Load(model, path).Loaded.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PK\u0003\u0004 and no archive")]
    [InlineData("an image, perhaps")]
    [InlineData("\u0001\0\0\0\0\0\0\0{")]
    public void Other_files_are_refused(string content)
    {
        var path = _folder.File("weights.bin");
        File.WriteAllText(path, content);
        var message = Refusal(path);
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains("again", message + (message.Contains("python -c", StringComparison.Ordinal) ? "again" : ""), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named_with_where_weights_come_from()
    {
        using var model = WeightsFiles.Model("resnet18", seed: 1);
        var error = Assert.Throws<FileNotFoundException>(() => PretrainedWeights.Load(model, _folder.File("none.pt")));
        Assert.Contains(_folder.File("none.pt"), error.Message, StringComparison.Ordinal);
        Assert.Contains("torchvision.models.resnet18(weights='DEFAULT').state_dict()", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_TorchScript_archive_is_refused_wherever_it_is_cut_or_changed()
    {
        using var source = nn.Sequential(("fc", nn.Linear(3, 2)));
        var path = WeightsFiles.TorchScript(_folder, source);
        var bytes = File.ReadAllBytes(path);
        for (var length = bytes.Length - 1; length > 4; length -= 41)
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.Contains(path, Refusal(path), StringComparison.Ordinal);
        }

        // In the pickle, the code, and the tensors' own bytes.
        foreach (var place in new[] { Place("weight"u8), Place("Module0"u8), Place(source.parameters().First().bytes[..8]) })
        {
            bytes[place] ^= 1;
            File.WriteAllBytes(path, bytes);
            bytes[place] ^= 1;
            var message = Refusal(path);
            Assert.Contains("found a damaged TorchScript archive (archive/", message, StringComparison.Ordinal);
            Assert.Contains("has the CRC-32", message, StringComparison.Ordinal);
            Assert.Contains("Get the file again", message, StringComparison.Ordinal);
        }

        int Place(ReadOnlySpan<byte> content) => bytes.AsSpan().IndexOf(content) + 3;
    }

    [Fact]
    public void A_quantized_model_and_unknown_names_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = (ResNet)WeightsFiles.Model("resnet18", seed: 1);
        var path = WeightsFiles.TorchScript(_folder, model);
        var error = Assert.Throws<ArgumentException>(() => PretrainedWeights.Load(model, path, ["classifier"]));
        Assert.Contains("'classifier' is to be left out, and the model has no module or tensor of that name. Its modules: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("layer4", error.Message, StringComparison.Ordinal);
        using var int8 = quantization.quantize_dynamic(model);
        error = Assert.Throws<ArgumentException>(() => ((ResNet)int8).LoadWeights(path));
        Assert.Contains("fc is a DynamicQuantizedLinear", error.Message, StringComparison.Ordinal);
        Assert.Contains("quantize it then", error.Message, StringComparison.Ordinal);
    }

    private static void Change(Dictionary<string, Tensor> state, string change)
    {
        switch (change)
        {
            case "missing": state.Remove("layer2.0.conv1.weight"); break;
            case "extra": state["layer5.0.conv1.weight"] = zeros(2); break;
            case "counter of no norm": state["layer1.0.num_batches_tracked"] = tensor(1L); break;
            case "classes": state["fc.weight"] = zeros(7, 64); break;
            case "type": state["bn1.weight"] = state["bn1.weight"].to(ScalarType.Float64); break;
            case "counter type": state["bn1.num_batches_tracked"] = tensor(1f); break;
            case "nan": state["conv1.weight"][3, 2, 1, 0] = float.NaN; state["conv1.weight"][3, 2, 1, 1] = float.NegativeInfinity; break;
            case "nan in half precision": state["layer1.0.bn2.running_var"] = state["layer1.0.bn2.running_var"].to(ScalarType.Float16); state["layer1.0.bn2.running_var"][0] = float.PositiveInfinity; break;
            default: throw new ArgumentException(change);
        }
    }

    /// <summary>The message, after having seen that the model is what it was.</summary>
    private static string Refusal(string path)
    {
        using var scope = NewDisposeScope();
        using var model = (ResNet)WeightsFiles.Model("resnet18", seed: 2);
        var before = WeightsFiles.Clone(model.state_dict());
        var error = Assert.Throws<QuantizedFileException>(() => model.LoadWeights(path));
        Assert.All(model.state_dict(), t => Assert.Equal(before[t.Key], t.Value));
        return error.Message;
    }
}
