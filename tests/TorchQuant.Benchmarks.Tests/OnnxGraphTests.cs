using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Onnx.Schema;
using Xunit;

namespace TorchQuant.Benchmarks.Tests;

public class OnnxGraphTests
{
    [Fact]
    public void What_is_written_can_be_read_back()
    {
        var graph = new OnnxGraph();
        graph.Input<byte>("x", 2, 3);
        graph.Output<float>("y", 2, 4);
        string scale = graph.Scalar("scale", 0.5f), weights = graph.Constant<sbyte>("w", new sbyte[] { -1, 2, -3, 4 }, 4, 1);
        graph.Node("QGemm", ["x", scale, "", weights], "y", OnnxGraph.Microsoft, ("alpha", 0f), ("transB", 0L), ("pads", new long[] { 1, 2 }), ("kind", "none"), ("kinds", new[] { "a", "b" }));

        ModelProto model = ModelProto.Parser.ParseFrom(graph.ToBytes());
        Assert.Equal([2L, 3L], model.Graph.Input.Single().Type.TensorType.Shape.Dim.Select(d => d.DimValue));
        Assert.Equal(TensorProto.Types.DataType.Float, model.Graph.Output.Single().Type.TensorType.ElemType);
        Assert.Empty(model.Graph.Initializer[0].Dims);
        Assert.Equal(BitConverter.GetBytes(0.5f), model.Graph.Initializer[0].RawData.ToByteArray());
        Assert.Equal([255, 2, 253, 4], model.Graph.Initializer[1].RawData.ToByteArray());
        NodeProto node = model.Graph.Node.Single();
        Assert.Equal(["x", "scale", "", "w"], node.Input);
        Assert.Equal("com.microsoft", node.Domain);
        // Zeros are written too: a reader must see them as values, not as something left out.
        Assert.True(node.Attribute[0].HasF && node.Attribute[1].HasI);
        Assert.Equal([1L, 2L], node.Attribute[2].Ints);
        Assert.Equal("none", node.Attribute[3].S.ToStringUtf8());
        Assert.Equal(["a", "b"], node.Attribute[4].Strings.Select(s => s.ToStringUtf8()));
        Assert.Contains(model.OpsetImport, set => set.Domain == "com.microsoft");
    }

    [Fact]
    public void A_constant_that_does_not_fit_its_dimensions_or_has_a_name_twice_is_refused()
    {
        var graph = new OnnxGraph();
        Assert.Contains("'w' has 3 values; expected 4", Assert.Throws<ArgumentException>(() => graph.Constant<float>("w", new float[3], 2, 2)).Message, StringComparison.Ordinal);
        graph.Scalar("s", 1f);
        Assert.Throws<ArgumentException>(() => graph.Scalar("s", 2f));
    }
}
