// Quantizes a language model (embedding, LSTM, linear) dynamically and says what that did.
//
//   dotnet fsi quantize.fsx [FOLDER]
//
// Ends with a file of int8 weights and a page of charts in FOLDER (default: quantized).
#r "nuget: TorchSharp-cpu, 0.107.0"
#r "nuget: TorchQuant, 0.1.0"
#r "nuget: TorchQuant.Interactive, 0.1.0"

open System
open System.IO
open TorchQuant
open TorchQuant.Interactive
open TorchSharp

type Module = torch.nn.Module<torch.Tensor, torch.Tensor>

let vocabulary, features, hidden = 10_000L, 256L, 512L

/// Words to the scores of the next word. The fields have the types of TorchSharp's base classes: they can hold the int8 layers.
type LanguageModel() as this =
    inherit torch.nn.Module<torch.Tensor, torch.Tensor>("LanguageModel")
    let encoder: Module = torch.nn.Embedding(vocabulary, features)

    let lstm: torch.nn.Module<torch.Tensor, struct (torch.Tensor * torch.Tensor) Nullable, struct (torch.Tensor * torch.Tensor * torch.Tensor)> =
        torch.nn.LSTM(features, hidden, 2L)

    let decoder: Module = torch.nn.Linear(hidden, vocabulary)
    do this.RegisterComponents()

    override _.forward words =
        use scope = torch.NewDisposeScope()
        let struct (output, _, _) = lstm.call (encoder.call words, Nullable())
        (decoder.call output).MoveToOuterDisposeScope()

torch.random.manual_seed 1L |> ignore
let noGrad = torch.no_grad ()
let folder = Directory.CreateDirectory(fsi.CommandLineArgs |> Array.tryItem 1 |> Option.defaultValue "quantized").FullName
let model = new LanguageModel()
model.eval ()

// LSTM and Linear in qint8, then the embedding in quint8.
let int8 = quantization.quantize_dynamic (model)
let smallest = quantization.quantize_dynamic (int8, [| typeof<Modules.Embedding> |], dtype = qdtype.quint8)
let file = Path.Combine(folder, "language-model-int8.safetensors")
quantization.save (smallest, file)

let words = torch.randint (0L, vocabulary, [| 35L; 1L |], dtype = torch.ScalarType.Int64)
let forward (m: LanguageModel) = Action(fun () -> m.call(words).Dispose())

let times =
    InferenceTimer.Compare(
        [| struct ("float", forward model); struct ("int8", forward int8); struct ("int8, embedding too", forward smallest) |],
        runs = 15, warmUp = 3)

let difference =
    use scope = torch.NewDisposeScope()
    (model.call words - smallest.call words).abs().mean().item<float32> ()

let sizes = ModelSize.Compare(model, smallest)

let report: Visual list =
    [ Display.Compare(model, smallest)
      Display.SizeChart(sizes, "Size by module")
      Display.TimeChart(times, "35 words, batch 1")
      Display.Of(times, "Times") ]

let head = "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title>TorchQuant</title>\n<body style=\"margin:2em auto;max-width:1000px\">\n"
let page = Path.Combine(folder, "language-model.html")
File.WriteAllText(page, head + String.Join("\n", report |> List.map _.ToHtml()) + "\n</body></html>\n")

printfn "language model: %.2f MB -> %.2f MB; %.2f ms -> %.2f ms; mean difference of the scores %.4f" sizes.Before.Megabytes sizes.After.Megabytes times.Timings[0].Median times.Timings[2].Median difference
printfn "  weights  %s\n  page     %s" file page
