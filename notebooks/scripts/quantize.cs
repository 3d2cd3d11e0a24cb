#!/usr/bin/env -S dotnet run
// Quantizes a network of torchvision to int8 and says what that did: size, time, error of each layer. Ends with a file of int8 weights and a page of charts.
//
//   dotnet run quantize.cs -- [resnet18|resnet50|mobilenet_v2] [--weights FILE] [--images FOLDER] [--size 224] [--out FOLDER]
//
// --weights: torchvision's weights (.safetensors, or a TorchScript archive); without them the network has random ones: sizes and times are right then, and the answers mean nothing.
// --images:  a folder with a folder of pictures for each class, to calibrate and to compare with; without it the pictures are noise.
#:package TorchSharp-cpu@0.107.0
#:package TorchQuant@0.1.0
#:package TorchQuant.Interactive@0.1.0
using System.Text;
using TorchQuant;
using TorchQuant.Interactive;
using TorchQuant.Models;
using TorchSharp;
using static TorchSharp.torch;

const int Calibration = 32, Shown = 8;
string? Option(string name) => Array.IndexOf(args, name) is var at and >= 0 ? args.ElementAtOrDefault(at + 1) ?? throw new ArgumentException($"{name} needs a value.") : null;
string[] options = ["--weights", "--images", "--size", "--out"];
for (var i = 0; i < args.Length; i++)
{
    var isOption = args[i].StartsWith("--");
    if (isOption ? !options.Contains(args[i]) : i > 0) return Fail($"'{args[i]}' is not understood; the first lines of this file say what is.");
    if (isOption) i++; // its value
}

var name = args.FirstOrDefault() is { } first && !first.StartsWith("--") ? first : "resnet18";
var size = int.Parse(Option("--size") ?? "224");
var folder = Directory.CreateDirectory(Option("--out") ?? "quantized").FullName;
random.manual_seed(1);
nn.Module<Tensor, Tensor> model;
switch (name)
{
    case "resnet18": model = ResNet.resnet18(); break;
    case "resnet50": model = ResNet.resnet50(); break;
    case "mobilenet_v2": model = new MobileNetV2(); break;
    default: return Fail($"'{name}' is no network of this script; expected resnet18, resnet50 or mobilenet_v2.");
}
using var noGrad = no_grad();

// The pictures: some to calibrate with, some others to compare with.
Tensor Pictures(ImageFolder? images, int from, int count)
{
    using var scope = NewDisposeScope();
    if (images is null) return randn(count, 3, size, size).MoveToOuterDisposeScope();
    return stack([.. Enumerable.Range(0, count).Select(i => images.GetTensor((from + i) * 7919L % images.Count)["data"])]).MoveToOuterDisposeScope();
}

var transform = new ImageClassification(size, Math.Max(size, size * 256 / 224));
var images = Option("--images") is { } root ? new ImageFolder(root, transform.call) : null;
using var calibration = Pictures(images, 0, Calibration);
using var shown = Pictures(images, Calibration, Shown);

if (Option("--weights") is { } weights)
    Console.WriteLine(model is ResNet resNet ? resNet.LoadWeights(weights) : ((MobileNetV2)model).LoadWeights(weights));
else
{
    model.train(); // statistics for the batch norms, so that random weights give numbers of a usual size
    model.call(calibration).Dispose();
}
model.eval();

// Quantize: fuse, observe, convert.
var example = calibration.narrow(0, 0, 1);
var fused = quantization.fuse_modules(model, example, out _);
var prepared = quantization.prepare(fused, quantization.get_default_qconfig());
for (var i = 0; i < Calibration; i += Shown)
    using (var batch = calibration.narrow(0, i, Shown))
        prepared.call(batch).Dispose();
var int8 = quantization.convert(prepared);
var file = Path.Combine(folder, $"{name}-int8.safetensors");
quantization.save(int8, file);

// What it did.
var sizes = ModelSize.Compare(model, int8);
var times = InferenceTimer.Compare([("float", () => model.call(example).Dispose()), ("float, fused", () => fused.call(example).Dispose()), ("int8", () => int8.call(example).Dispose())], runs: 15, warmUp: 3);
var errors = LayerErrors.Compare(fused, int8, [shown]);
using var before = model.call(shown).argmax(1);
using var after = int8.call(shown).argmax(1);
var agree = before.eq(after).sum().item<long>();

Visual[] report =
[
    Display.Of(sizes, $"{name}: size"),
    Display.TimeChart(times, $"One picture, {size} × {size}"),
    Display.Of(times, "Times"),
    Chart.Bars("Signal to noise, layer by layer", [.. errors.Rows.Select(row => row.Path)], [new BarSeries("int8", errors.Rows.Select(row => row.Sqnr).ToArray())],
        value: "SQNR [dB]", horizontal: true, subtitle: $"Longer is better. Float and int8 name the same class for {agree} of {Shown} pictures."),
];
var html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title>TorchQuant</title>\n<body style=\"margin:2em auto;max-width:1000px\">\n");
foreach (var part in report) html.Append(part.ToHtml()).Append('\n');
var page = Path.Combine(folder, $"{name}.html");
File.WriteAllText(page, html.Append("</body></html>\n").ToString());

Console.WriteLine($"{name}: {sizes.Before.Megabytes:N2} MB -> {sizes.After.Megabytes:N2} MB; {times.Timings[0].Median:N2} ms -> {times.Timings[2].Median:N2} ms; same class for {agree} of {Shown} pictures");
Console.WriteLine($"  weights  {file}\n  page     {page}");
return 0;

int Fail(string message)
{
    Console.Error.WriteLine(message);
    return 2;
}
