/** A silent sound file of this length: 8 kHz, 8 bits, one channel. */
export function wav({ seconds }: { seconds: number }): Uint8Array {
  const rate = 8000;
  const length = rate * seconds;
  const bytes = Buffer.alloc(44 + length, 128);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + length, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(length, 40);
  return bytes;
}
