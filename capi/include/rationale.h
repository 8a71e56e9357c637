/* rationale for C. Written by cbindgen from capi/src; do not edit. */

#ifndef RATIONALE_H
#define RATIONALE_H

#include <stddef.h>
#include <stdint.h>

/*
 One model, its pictures and its device.
 */
typedef struct RationaleTrainer RationaleTrainer;

/*
 Where training is.
 */
typedef struct RationaleProgress {
  /*
   Epochs done.
   */
  uint64_t epoch;
  /*
   Batches of the epoch at hand that are done; 0 between two epochs.
   */
  uint64_t batch;
  /*
   All batches of the epoch at hand, over all of its passes, or of the next one.
   */
  uint64_t batches;
  /*
   Mean cross-entropy of the last epoch that is done; a NaN before the first.
   */
  double label_loss;
  /*
   Its alignment loss; a NaN where no picture has a mask.
   */
  double alignment_loss;
  /*
   Share of the training pictures that were predicted right in it.
   */
  double train_accuracy;
} RationaleProgress;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Makes a trainer for pictures of `height` × `width` × `channels` (1 or 3) and `classes` classes.

 `device` is "auto", "cpu", an adapter's number or a part of its name; null is "auto". `settings` is TOML with the tables `[model]`
 and `[train]` of a config (`rationale init` explains every key) and `seed`; null takes the defaults.

 Returns null where that cannot be; `rationale_last_error` says why.

 # Safety
 `device` and `settings` are null or end with a zero byte.
 */
struct RationaleTrainer *rationale_new(const char *device,
                                       size_t height,
                                       size_t width,
                                       size_t channels,
                                       size_t classes,
                                       const char *settings);

/*
 Frees a trainer and all that it holds on its device. Null is allowed.

 # Safety
 `trainer` is null or came from `rationale_new` and was not freed.
 */
void rationale_free(struct RationaleTrainer *trainer);

/*
 Adds a training picture: `height · width · channels` bytes, row by row, the channels of a pixel side by side.
 `mask` has `height · width` bytes, 255 = relevant and 0 = not, or is null where nothing explains the picture.

 Returns the picture's number, or a negative status.

 # Safety
 `pixels` points to `pixels_len` bytes; `mask` is null or points to `mask_len` bytes.
 */
int rationale_add_picture(struct RationaleTrainer *trainer,
                          const uint8_t *pixels,
                          size_t pixels_len,
                          uint32_t label,
                          const uint8_t *mask,
                          size_t mask_len);

/*
 Changes what explains a picture; null takes its mask away. Training goes on with the weights that it has; an epoch at hand
 is trained to its end on what there was when it began. So is it with a picture that is added.

 # Safety
 `mask` is null or points to `mask_len` bytes.
 */
int rationale_set_mask(struct RationaleTrainer *trainer,
                       size_t picture,
                       const uint8_t *mask,
                       size_t mask_len);

/*
 Trains for about `budget_ms` milliseconds: at least one batch, and no further one for which the time that is left seems too short.
 An epoch may take many calls; slices of any length give the bits of whole epochs. What no budget foresees: the first call, and
 that which begins an epoch on changed pictures or masks, prepare the device; that which ends an epoch reads the weights from it.

 Predictions, overlays, `rationale_save` and `rationale_export_onnx` show the last epoch that is done.

 `progress` takes where training is; it may be null.

 # Safety
 `progress` is null or points to a `RationaleProgress`.
 */
int rationale_step(struct RationaleTrainer *trainer,
                   uint32_t budget_ms,
                   struct RationaleProgress *progress);

/*
 The probability of each class for one picture. Returns the most probable class, or a negative status.

 # Safety
 `pixels` points to `pixels_len` bytes, `probabilities` to as many floats as there are classes (`classes` says how many).
 */
int rationale_predict(struct RationaleTrainer *trainer,
                      const uint8_t *pixels,
                      size_t pixels_len,
                      float *probabilities,
                      size_t classes);

/*
 How strongly each pixel of a picture moves the log-probability of its predicted class: |gradient|, the largest over the
 channels, scaled so that the strongest pixel is 1; `height · width` floats into `overlay`.

 # Safety
 `pixels` points to `pixels_len` bytes, `overlay` to `overlay_len` floats.
 */
int rationale_overlay(struct RationaleTrainer *trainer,
                      const uint8_t *pixels,
                      size_t pixels_len,
                      float *overlay,
                      size_t overlay_len);

/*
 Writes weights, optimiser state and the number of epochs to a file, whole or not at all: as they were at the end of the last
 epoch that is done. What was trained since is not in it; who loads the file trains that part again, to the same bits.

 # Safety
 `path` ends with a zero byte.
 */
int rationale_save(struct RationaleTrainer *trainer,
                   const char *path);

/*
 Takes the state of a file that `rationale_save` wrote for the same model and settings. Pictures stay what they are; an epoch
 at hand is dropped.

 # Safety
 `path` ends with a zero byte.
 */
int rationale_load(struct RationaleTrainer *trainer,
                   const char *path);

/*
 Writes the model as ONNX (opset 17, the scaling of the pictures inside).

 # Safety
 `path` ends with a zero byte.
 */
int rationale_export_onnx(struct RationaleTrainer *trainer, const char *path);

/*
 What the last call on this thread that failed had to say, in UTF-8; empty before the first. It stays valid until the next call
 that fails on this thread.
 */
const char *rationale_last_error(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RATIONALE_H */
