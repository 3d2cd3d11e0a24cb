using FsCheck.Xunit;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Serialization;

public sealed class SaveLoadTests : IDisposable
{
    private readonly Tensor _ids = tensor(new long[,] { { 1, 4, 10, 0 }, { 3, 3, 9, 2 } });
    private readonly SavedNet _float = new(1);

    public static TheoryData<string> Forms => new("qint8", "per tensor", "float16", "embedding");

    public void Dispose()
    {
        _ids.Dispose();
        _float.Dispose();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void What_is_loaded_computes_the_same_bits(string form)
    {
        using var saved = Quantized(form);
        using var file = new MemoryStream();
        quantization.save(saved, file);
        file.Position = 0;
        using var other = new SavedNet(2);
        other.train();
        using var loaded = quantization.load(other, file);
        AssertSameBits(saved, loaded);
        Assert.All(loaded.modules(), module => Assert.False(module.training));
        Assert.True(other.training);
        Assert.Equal(saved.ToString(), loaded.ToString());
        Assert.Equal(Names(saved), Names(loaded));
    }

    [Fact]
    public void Loading_into_a_copy_leaves_the_model_as_it_is_and_inplace_changes_it()
    {
        using var saved = Quantized("qint8");
        using var file = Saved(saved);
        using var other = new SavedNet(2);
        using var before = other.call(_ids);
        using var loaded = quantization.load(other, file);
        using var after = other.call(_ids);
        Assert.Equal(before.data<float>().ToArray(), after.data<float>().ToArray());
        file.Position = 0;
        Assert.Same(other, quantization.load(other, file, inplace: true));
        AssertSameBits(saved, other);
    }

    [Fact]
    public void A_quantized_model_takes_another_files_weights()
    {
        using var saved = Quantized("per tensor");
        using var file = Saved(saved);
        using var target = quantization.quantize_dynamic(new SavedNet(5), dtype: qdtype.float16);
        quantization.load(target, file, inplace: true);
        AssertSameBits(saved, target);
    }

    [Fact]
    public void A_float_model_round_trips_too()
    {
        using var file = Saved(_float);
        using var other = new SavedNet(2);
        using var loaded = quantization.load(other, file);
        AssertSameBits(_float, loaded);
    }

    [Fact]
    public void The_file_of_an_int8_model_is_a_quarter_of_the_float_file()
    {
        using var model = nn.Sequential(("fc", nn.Linear(512, 512)), ("act", nn.ReLU()), ("out", nn.Linear(512, 256)));
        using var int8 = quantization.quantize_dynamic(model);
        using var floatFile = Saved(model);
        using var int8File = Saved(int8);
        Assert.InRange((double)int8File.Length / floatFile.Length, 0.25, 0.265);
        Assert.InRange(int8File.Length - ModelSize.Of(int8).TotalBytes, 0, 2048); // the header, and nothing twice
    }

    [Fact]
    public void A_tied_tensor_is_stored_once()
    {
        using var file = Saved(_float);
        file.Position = 0;
        using var content = SafeTensors.Read(file);
        Assert.Contains("first.weight", content.Tensors.Keys);
        Assert.DoesNotContain("second.again.weight", content.Tensors.Keys);
        Assert.Equal(ModelSize.Of(_float).TotalBytes, content.Tensors.Values.Sum(t => t.numel() * t.element_size()));
    }

    [Fact]
    public void A_file_on_disk_is_replaced_whole_and_no_draft_is_left()
    {
        var folder = Directory.CreateTempSubdirectory("torchquant-save-");
        var path = Path.Combine(folder.FullName, "model.safetensors");
        using var saved = Quantized("qint8");
        quantization.save(_float, path);
        quantization.save(saved, path);
        Assert.Equal([path], Directory.GetFiles(folder.FullName));
        using var other = new SavedNet(2);
        using var loaded = quantization.load(other, path);
        AssertSameBits(saved, loaded);
        folder.Delete(recursive: true);
    }

    [Property(MaxTest = 60)]
    public void A_file_that_is_cut_off_is_refused(uint where)
    {
        using var saved = Quantized("qint8");
        using var file = Saved(saved);
        var cut = new MemoryStream(file.ToArray()[..(int)(where % file.Length)]);
        AssertRefusedWithoutChange(cut);
    }

    [Property(MaxTest = 150)]
    public void A_changed_byte_of_the_header_is_refused_or_harmless_and_never_another_kind_of_failure(uint where, byte with)
    {
        using var saved = Quantized("qint8");
        using var file = Saved(saved);
        var bytes = file.ToArray();
        var header = 8 + (int)BitConverter.ToUInt64(bytes);
        bytes[where % header] = with;
        using var target = new SavedNet(3);
        try
        {
            quantization.load(target, new MemoryStream(bytes)).Dispose();
        }
        catch (QuantizedFileException e)
        {
            Assert.NotEmpty(e.Message);
        }
    }

    private static MemoryStream Saved(nn.Module model)
    {
        var file = new MemoryStream();
        quantization.save(model, file);
        file.Position = 0;
        return file;
    }

    private SavedNet Quantized(string form) => form switch
    {
        "qint8" => quantization.quantize_dynamic(_float),
        "per tensor" => quantization.quantize_dynamic(_float, backend: "fbgemm"),
        "float16" => quantization.quantize_dynamic(_float, dtype: qdtype.float16),
        _ => quantization.quantize_dynamic(_float, [typeof(Embedding)], qdtype.quint8),
    };

    private void AssertSameBits(nn.Module<Tensor, Tensor> expected, nn.Module<Tensor, Tensor> actual)
    {
        using var y = expected.call(_ids);
        using var z = actual.call(_ids);
        Assert.Equal(y.data<float>().ToArray(), z.data<float>().ToArray());
    }

    private void AssertRefusedWithoutChange(Stream file)
    {
        using var target = new SavedNet(3);
        using var before = target.call(_ids);
        Assert.Throws<QuantizedFileException>(() => quantization.load(target, file, inplace: true));
        using var after = target.call(_ids);
        Assert.Equal(before.data<float>().ToArray(), after.data<float>().ToArray());
        Assert.Equal(Names(_float), Names(target));
    }

    private static IEnumerable<string> Names(nn.Module model) => model.named_modules().Select(m => $"{m.name}: {m.module.GetType().Name}");
}
