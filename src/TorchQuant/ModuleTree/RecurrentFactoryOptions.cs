namespace TorchQuant;

/// <summary>What an LSTM, GRU or RNN was made with.</summary>
internal sealed record RecurrentFactoryOptions(long Inputs, long Hidden, long Layers, bool Bias, bool BatchFirst, double Dropout, bool Bidirectional);
