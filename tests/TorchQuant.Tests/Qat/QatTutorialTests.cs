using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>The training code of PyTorch's tutorial on static quantization with eager mode, line by line.</summary>
public class QatTutorialTests
{
    [Fact]
    public void The_training_code_of_the_tutorial_reaches_the_accuracy_of_float()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(9);
        var (evalImages, evalLabels) = QatNets.Data(1000, random);
        using var float_model = QatNets.Float(9);
        TrainFloat(float_model, random);
        float_model.eval();
        var float_accuracy = Accuracy(float_model, evalImages, evalLabels);
        Assert.InRange(float_accuracy, 0.9, 1);

        float_model.train();
        var qat_model = quantization.fuse_modules_qat(float_model, QatNets.Sequences);
        var optimizer = optim.SGD(qat_model.parameters(), 0.005);
        qat_model.qconfig = quantization.get_default_qat_qconfig("x86");

        quantization.prepare_qat(qat_model, inplace: true);

        const int num_train_batches = 20;
        for (var nepoch = 0; nepoch < 8; nepoch++)
        {
            TrainOneEpoch(qat_model, optimizer, random, num_train_batches);
            if (nepoch > 3)
                qat_model.apply(quantization.disable_observer); // freeze quantizer parameters
            if (nepoch > 2)
                qat_model.apply(quantization.freeze_bn_stats); // freeze batch norm mean and variance estimates

            qat_model.eval();
            using var quantized_model = quantization.convert(qat_model);
            var top1 = Accuracy(quantized_model, evalImages, evalLabels);
            if (nepoch == 7)
                Assert.InRange(top1, float_accuracy - 0.02, 1);
        }

        qat_model.Dispose();
        optimizer.Dispose();
    }

    [Fact]
    public void The_training_code_of_a_user_works_line_by_line()
    {
        using var scope = NewDisposeScope();
        var trained = Train(evaluate: true);
        var undisturbed = Train(evaluate: false);
        Assert.Equal(undisturbed.Weights, trained.Weights); // converting copies in mid-training changed nothing
        Assert.InRange(trained.Accuracy, 0.9, 1);
        Assert.Equal(undisturbed.Accuracy, trained.Accuracy);

        static (float[] Weights, double Accuracy) Train(bool evaluate)
        {
            using var random = new Generator(12);
            var (images, labels) = QatNets.Data(400, random);
            var model = QatNets.Float(12);
            TrainFloat(model, random);

            const int epochs = 5, n = 3;
            model.train();
            var qconfig = quantization.get_default_qat_qconfig("fbgemm");
            model = quantization.fuse_modules_qat(model, QatNets.Sequences);
            model = quantization.prepare_qat(model, qconfig);
            var optimizer = optim.SGD(model.parameters(), 0.005, momentum: 0.9);
            for (var epoch = 0; epoch < epochs; epoch++)
            {
                model.train();
                for (var batch = 0; batch < 10; batch++)
                {
                    var (x, target) = QatNets.Data(16, random);
                    optimizer.zero_grad();
                    var loss = nn.functional.cross_entropy(model.call(x), target);
                    loss.backward();
                    optimizer.step();
                }

                if (epoch >= n)
                {
                    model.apply(quantization.disable_observer);
                    model.apply(quantization.freeze_bn_stats);
                }

                if (!evaluate)
                    continue;
                using var copy = ModuleTree.Copy(model);
                copy.eval();
                using var snapshot = quantization.convert(copy);
                copy.apply(quantization.disable_observer);
                Assert.Equal(copy.call(images), snapshot.call(images));
                Assert.InRange(Accuracy(snapshot, images, labels), 0.6, 1);
            }

            model.eval();
            var int8 = quantization.convert(model);
            var accuracy = Accuracy(int8, images, labels);
            Assert.Equal(Accuracy(model, images, labels), accuracy);
            return ([.. model.parameters().SelectMany(p => p.data<float>().ToArray())], accuracy);
        }
    }

    [Fact]
    public void Quantize_qat_prepares_trains_and_converts()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(9);
        using var model = QatNets.Float(9);
        TrainFloat(model, random);
        model.train();
        quantization.fuse_modules_qat(model, QatNets.Sequences, inplace: true);
        model.eval();
        var (images, labels) = QatNets.Data(500, random);
        var accuracy = Accuracy(model, images, labels);
        model.qconfig = quantization.get_default_qat_qconfig();
        using var int8 = quantization.quantize_qat(model, prepared =>
        {
            Assert.True(prepared.training);
            using var optimizer = optim.SGD(prepared.parameters(), 0.005);
            TrainOneEpoch(prepared, optimizer, random, 20);
        });
        Assert.IsType<TorchQuant.Modules.QuantizedConvolution>(int8.conv1);
        Assert.InRange(Accuracy(int8, images, labels), accuracy - 0.02, 1);
        Assert.IsType<TorchQuant.Modules.ConvBnReLU2d>(model.conv1);
    }

    private static void TrainFloat(QatNet model, Generator random)
    {
        using var optimizer = optim.Adam(model.parameters(), 0.01);
        TrainOneEpoch(model, optimizer, random, 250);
    }

    private static void TrainOneEpoch(QatNet model, optim.Optimizer optimizer, Generator random, int ntrain_batches)
    {
        model.train();
        for (var batch = 0; batch < ntrain_batches; batch++)
            QatNets.Step(model, optimizer, random);
    }

    private static double Accuracy(QatNet model, Tensor images, Tensor labels)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return model.call(images).argmax(1).eq(labels).to(ScalarType.Float64).mean().item<double>();
    }
}
