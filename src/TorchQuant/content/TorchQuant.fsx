// F# Interactive loads this by itself after #r "nuget: TorchQuant", before the script's first line.
TorchQuant.TorchNative.EnsureLoaded()
