/* A bright square says which class a picture has: left or right. A frame in the corner says it too, in training only; the masks say
 * that the square is the reason. Trains, predicts, looks, saves, loads; ends with 0 where all went well.
 *
 *   cc learn.c -I../include -L<target>/release -lrationale_c -lm -o learn && ./learn cpu /tmp/state.safetensors
 */
#include "rationale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 16, AREA = SIDE * SIDE, PICTURES = 64, SQUARE = 5 };

static void check(int status, const char *what) {
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, rationale_last_error());
        exit(1);
    }
}

static unsigned noise(unsigned *state) { return (*state = *state * 1664525u + 1013904223u) >> 24; }

static void draw(uint8_t *pixels, uint8_t *mask, unsigned label, int hint, unsigned *state) {
    for (int i = 0; i < AREA; i++) {
        pixels[i] = (uint8_t)(noise(state) / 4);
        mask[i] = 0;
    }
    unsigned top = 2 + noise(state) % 8, left = (label ? 9 : 1) + noise(state) % 2;
    for (unsigned row = top; row < top + SQUARE; row++)
        for (unsigned column = left; column < left + SQUARE; column++) {
            pixels[row * SIDE + column] = 220;
            mask[row * SIDE + column] = 255;
        }
    if (hint)
        pixels[label ? 0 : SIDE - 1] = 255;
}

int main(int count, char **arguments) {
    const char *device = count > 1 ? arguments[1] : "cpu";
    const char *path = count > 2 ? arguments[2] : "state.safetensors";
    const char *settings = "seed = 3\n[train]\nbatch = 16\nepochs = 20\n";
    RationaleTrainer *trainer = rationale_new(device, SIDE, SIDE, 1, 2, settings);
    if (!trainer) {
        fprintf(stderr, "rationale_new: %s\n", rationale_last_error());
        return 1;
    }
    uint8_t pixels[AREA], mask[AREA];
    unsigned state = 7;

    /* What is wrong is said, and changes nothing. */
    if (rationale_step(trainer, 0, NULL) >= 0 || rationale_add_picture(trainer, pixels, 3, 0, NULL, 0) >= 0)
        return 2;
    printf("refused: %s\n", rationale_last_error());

    for (unsigned i = 0; i < PICTURES; i++) {
        draw(pixels, mask, i % 2, 1, &state);
        check(rationale_add_picture(trainer, pixels, AREA, i % 2, i % 4 < 2 ? mask : NULL, AREA), "add");
    }
    /* A budget of nothing is one batch. */
    RationaleProgress progress;
    unsigned calls = 0;
    do {
        check(rationale_step(trainer, 0, &progress), "step");
        calls++;
    } while (progress.epoch == 0 && progress.batch == calls);
    if (progress.epoch != 1 || progress.batch != 0 || progress.batches != calls)
        return 5;
    while (progress.epoch < 20)
        check(rationale_step(trainer, 20, &progress), "step");
    printf("epoch %d: loss %.3f, alignment %.3f, accuracy %.2f\n", (int)progress.epoch, progress.label_loss,
           progress.alignment_loss, progress.train_accuracy);

    int right = 0;
    float probabilities[2], before[2], overlay[AREA];
    for (unsigned i = 0; i < 32; i++) {
        draw(pixels, mask, i % 2, 0, &state);
        int class = rationale_predict(trainer, pixels, AREA, probabilities, 2);
        check(class, "predict");
        right += class == (int)(i % 2);
    }
    printf("without the hint %d of 32 are right\n", right);
    check(rationale_overlay(trainer, pixels, AREA, overlay, AREA), "overlay");

    check(rationale_save(trainer, path), "save");
    memcpy(before, probabilities, sizeof before);
    rationale_free(trainer);
    trainer = rationale_new(device, SIDE, SIDE, 1, 2, settings);
    check(rationale_load(trainer, path), "load");
    check(rationale_predict(trainer, pixels, AREA, probabilities, 2), "predict");
    rationale_free(trainer);
    return memcmp(before, probabilities, sizeof before) ? 3 : right < 28 ? 4 : 0;
}
