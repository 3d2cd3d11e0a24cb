using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Serialization;

/// <summary>What the message of a refused file says, and that the model stays as it was.</summary>
public class QuantizedFileErrorTests
{
    [Fact]
    public void A_damaged_file_is_named_once()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "hello");
        using var model = new SavedNet(1);
        var message = Assert.Throws<QuantizedFileException>(() => quantization.load(model, path)).Message;
        File.Delete(path);
        Assert.Equal(0, message.LastIndexOf(path, StringComparison.Ordinal));
    }

    [Fact]
    public void An_empty_file_and_a_text_file_are_named_as_no_safetensors()
    {
        AssertRefused(new MemoryStream(), "it has 0 bytes");
        AssertRefused(new MemoryStream("this is a text of some length"u8.ToArray()), "announce a header of");
        AssertRefused(new MemoryStream([4, 0, 0, 0, 0, 0, 0, 0, .. "nope"u8]), "its header is not what a safetensors file has");
    }

    [Fact]
    public void Plain_safetensors_of_another_program_are_named()
    {
        using var weights = ones(2, 2);
        AssertRefused(Written([new("fc.weight", weights)], new() { ["format"] = "pt" }), "format is 'pt'", "SafeTensors.Read");
        AssertRefused(Written([new("fc.weight", weights)], []), "format is not stated");
    }

    [Fact]
    public void A_newer_version_is_named()
    {
        AssertRefused(Written([], new() { ["format"] = "torchquant", ["version"] = "2" }), "has version 2; this TorchQuant reads version 1");
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "'a' of shape [2] needs 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "its tensors need 8 bytes, and it holds 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "'b' begins at byte 2 of the data, where 4")]
    [InlineData("""{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}""", 4, "element type 'F7'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "negative size -1")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,4]}}""", 4, "its header is not")]
    [InlineData("""{"a":{"dtype":"F32"}}""", 0, "its header is not")]
    [InlineData("""[1]""", 0, "its header is not")]
    public void Entries_that_contradict_themselves_or_the_data_are_named(string header, int dataBytes, string expected)
    {
        var json = System.Text.Encoding.UTF8.GetBytes(header);
        AssertRefused(new MemoryStream([.. BitConverter.GetBytes((ulong)json.Length), .. json, .. new byte[dataBytes]]), expected);
    }

    [Fact]
    public void Every_difference_from_the_model_is_listed_at_once()
    {
        using var saved = nn.Sequential(("fc", nn.Linear(4, 3)), ("norm", nn.LayerNorm(3)), ("extra", nn.Linear(3, 3)));
        using var int8 = quantization.quantize_dynamic(saved, ["fc"]);
        var file = new MemoryStream();
        quantization.save(int8, file);
        file.Position = 0;
        using var other = nn.Sequential(("body", nn.Linear(4, 3)), ("norm", nn.LayerNorm(5)));
        var e = Assert.Throws<QuantizedFileException>(() => quantization.load(other, file));
        Assert.Contains("fc: the file has a DynamicQuantizedLinear there and the model no module", e.Message);
        Assert.Contains("body.weight: the model has Float32 [3, 4] there and the file no tensor", e.Message);
        Assert.Contains("norm.weight: the model has Float32 [5] there and the file Float32 [3]", e.Message);
        Assert.Contains("extra.bias: the file has Float32 [3] there and the model nothing", e.Message);
    }

    [Fact]
    public void A_quantized_module_of_another_shape_or_kind_is_named()
    {
        using var saved = nn.Sequential(("fc", nn.Linear(4, 6)));
        using var int8 = quantization.quantize_dynamic(saved);
        var file = new MemoryStream();
        quantization.save(int8, file);
        using var wider = nn.Sequential(("fc", nn.Linear(5, 6)));
        using var other = nn.Sequential(("fc", nn.PReLU(3)), ("act", nn.ReLU()));
        foreach (var (model, expected) in ((nn.Module, string)[])[
            (wider, "fc.weight: the model has Float32 [6, 5] there and the file Int8 [6, 4]"),
            (other, "fc.weight: the model has Float32 [3] there and the file Int8 [6, 4]")])
        {
            file.Position = 0;
            Assert.Contains(expected, Assert.Throws<QuantizedFileException>(() => quantization.load(model, file)).Message);
        }
    }

    [Fact]
    public void A_field_that_cannot_hold_the_module_is_refused_and_the_model_unchanged()
    {
        using var model = new Declared();
        using var saved = quantization.quantize_dynamic(model, hook_fallback: true);
        var file = new MemoryStream();
        quantization.save(saved, file);
        file.Position = 0;
        var e = Assert.Throws<ModuleReplacementException>(() => quantization.load(model, file, inplace: true));
        Assert.Contains("fc", e.Message);
        Assert.Contains(model.named_modules(), m => m.module is Linear);
    }

    [Fact]
    public void A_lone_quantized_module_is_not_saved_and_the_mend_is_named()
    {
        using var model = nn.Sequential(("fc", nn.Linear(4, 3)));
        using var int8 = quantization.quantize_dynamic(model);
        var e = Assert.Throws<ArgumentException>(() => quantization.save((nn.Module)int8[0], new MemoryStream()));
        Assert.Contains("Put it into a Sequential", e.Message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named_by_its_path()
    {
        using var model = nn.Sequential(("fc", nn.Linear(4, 3)));
        var path = Path.Combine(Path.GetTempPath(), "torchquant-no-such-file.safetensors");
        Assert.Contains(path, Assert.Throws<FileNotFoundException>(() => quantization.load(model, path)).Message);
    }

    private static MemoryStream Written(KeyValuePair<string, Tensor>[] tensors, Dictionary<string, string> metadata)
    {
        var file = new MemoryStream();
        SafeTensors.Write(file, tensors, metadata);
        file.Position = 0;
        return file;
    }

    private static void AssertRefused(MemoryStream file, params string[] expected)
    {
        using var model = nn.Sequential(("fc", nn.Linear(2, 2)));
        var e = Assert.Throws<QuantizedFileException>(() => quantization.load(model, file));
        foreach (var text in expected) Assert.Contains(text, e.Message);
        Assert.IsType<Linear>(model[0]);
    }

    private sealed class Declared : nn.Module<Tensor, Tensor>
    {
        private readonly Linear fc = nn.Linear(4, 3);

        public Declared() : base(nameof(Declared)) => RegisterComponents();

        public override Tensor forward(Tensor x) => fc.call(x);
    }
}
