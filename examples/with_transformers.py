"""A learned optimizer with the Trainer of Transformers: pass it, and a schedule that does nothing.

    pip install transformers accelerate
    python examples/with_transformers.py

Left alone, the Trainer makes a schedule that shrinks all steps to zero, and "general" does that
itself. A small BERT learns to tell which of two words is more frequent in a sentence.
"""

from __future__ import annotations

import tempfile

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

import l2l

STEPS = 200


def main() -> None:
    """Train a BERT of two layers from scratch, and print how often it is right on new sentences."""
    torch.manual_seed(0)
    words = torch.randint(2, (1200, 9))  # of two kinds, 9 in a sentence
    sentences = [
        {"input_ids": sentence, "labels": label}
        for sentence, label in zip(words, (words.sum(dim=1) > 4).long(), strict=True)
    ]
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=2,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=16,
        )
    )
    optimizer = l2l.LearnedOptimizer(model.parameters(), steps=STEPS)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            max_steps=STEPS,
            per_device_train_batch_size=32,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
        )
        trainer = Trainer(
            model, arguments, train_dataset=sentences[:1000], optimizers=(optimizer, schedule)
        )
        trainer.train()
        logits = torch.tensor(trainer.predict(sentences[1000:]).predictions)
    right = logits.argmax(dim=1) == (words[1000:].sum(dim=1) > 4)
    print(f"accuracy {right.float().mean():.3f}")


if __name__ == "__main__":
    main()
