//! Pictures, labels and masks on their way in.

use super::recorded::{INDEX, TEXELS, TRAIN};
use super::step::bytes;
use super::textures::{MASK, PICTURE, check};
use super::{EmbedError, Mask, Picture, Trainer};
use crate::exec::Loaded;
use crate::train::PADDING;

/// What the host has said of each picture.
pub(super) struct Slots {
    /// Whether it has pixels.
    pub(super) pixels: Vec<bool>,
    pub(super) labels: Vec<Option<u32>>,
    pub(super) explained: Vec<bool>,
    /// The texture that the host paints its mask on, and whether it has been painted on since it was read.
    watched: Vec<Option<(wgpu::TextureView, bool)>>,
}

impl Slots {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            pixels: vec![false; capacity],
            labels: vec![None; capacity],
            explained: vec![false; capacity],
            watched: vec![None; capacity],
        }
    }

    /// Pictures that have all it takes to train.
    pub(super) fn ready(&self) -> Vec<u32> {
        let both = self.pixels.iter().zip(&self.labels).enumerate();
        both.filter(|(_, (pixels, label))| **pixels && label.is_some()).map(|(i, _)| i as u32).collect()
    }

    pub(super) fn no_data(&self) -> EmbedError {
        EmbedError::NoData {
            capacity: self.pixels.len(),
            pictures: self.pixels.iter().filter(|&&pixels| pixels).count(),
            labels: self.labels.iter().flatten().count(),
        }
    }
}

/// RGBA8 texels on their way into a place.
enum Texels<'a> {
    Words(Vec<u32>),
    View(&'a wgpu::TextureView),
}

impl Trainer {
    /// Sets the pixels of picture `index`. From the next epoch on it takes part if it has a label.
    pub fn set_picture(&mut self, index: usize, picture: Picture<'_>) -> Result<(), EmbedError> {
        self.require_place(index)?;
        self.place_picture(index, &format!("picture {index}"), picture)?;
        self.slots.pixels[index] = true;
        Ok(())
    }

    /// Sets or, with `None`, removes the label of picture `index`. A changed label holds at once; a picture with its first label
    /// takes part from the next epoch on.
    pub fn set_label(&mut self, index: usize, label: Option<u32>) -> Result<(), EmbedError> {
        self.require_place(index)?;
        let classes = self.setup.classes;
        match label {
            Some(label) if label as usize >= classes => {
                return Err(EmbedError::Label { index, label, classes });
            }
            Some(label) => self.write_word("labels", index, label)?,
            None => self.leave_out(index)?,
        }
        self.slots.labels[index] = label;
        Ok(())
    }

    /// Sets the explanation of picture `index`, which takes part in stage 2 from then on.
    pub fn set_mask(&mut self, index: usize, mask: Mask<'_>) -> Result<(), EmbedError> {
        self.require_place(index)?;
        let what = format!("mask of picture {index}");
        let texels = match mask {
            Mask::Bytes(mask) => Texels::Words(self.words(&what, mask, 1)?),
            Mask::Texture(view) => {
                self.check_texture(&what, view, MASK)?;
                Texels::View(view)
            }
        };
        self.place(self.recorded.place_mask, index, &what, &texels)?;
        self.write_word("explained", index, 1)?;
        self.slots.explained[index] = true;
        Ok(())
    }

    /// Takes the texture as the explanation of picture `index`, now and whenever [`Trainer::mask_changed`] says that the host has
    /// painted on it.
    pub fn watch_mask(&mut self, index: usize, view: &wgpu::TextureView) -> Result<(), EmbedError> {
        self.set_mask(index, Mask::Texture(view))?;
        self.slots.watched[index] = Some((view.clone(), false));
        Ok(())
    }

    /// Marks the watched mask of picture `index` as painted on. It is read once, at the start of the next `step` or `record`,
    /// however often it was marked.
    pub fn mask_changed(&mut self, index: usize) -> Result<(), EmbedError> {
        self.require_place(index)?;
        match &mut self.slots.watched[index] {
            Some((_, painted)) => *painted = true,
            None => return Err(EmbedError::NoMaskTexture { index }),
        }
        Ok(())
    }

    /// Removes the explanation of picture `index`, which takes part in stage 1 only from then on.
    pub fn clear_mask(&mut self, index: usize) -> Result<(), EmbedError> {
        self.require_place(index)?;
        self.write_word("explained", index, 0)?;
        self.slots.explained[index] = false;
        self.slots.watched[index] = None;
        Ok(())
    }

    /// Removes picture `index` with its label and mask, from the epoch at hand too. Its place can be filled again.
    pub fn remove_picture(&mut self, index: usize) -> Result<(), EmbedError> {
        self.set_label(index, None)?;
        self.clear_mask(index)?;
        self.slots.pixels[index] = false;
        Ok(())
    }

    /// Reads the masks that were painted on since they were read.
    pub(super) fn read_painted(&mut self) -> Result<(), EmbedError> {
        for index in 0..self.slots.watched.len() {
            let Some((view, true)) = &self.slots.watched[index] else { continue };
            let view = view.clone();
            let what = format!("mask of picture {index}");
            self.place(self.recorded.place_mask, index, &what, &Texels::View(&view))?;
            self.slots.watched[index] = Some((view, false));
        }
        Ok(())
    }

    /// Puts pixels into a place, which may be the one past the training pictures.
    pub(super) fn place_picture(
        &mut self,
        index: usize,
        what: &str,
        picture: Picture<'_>,
    ) -> Result<(), EmbedError> {
        let texels = match picture {
            Picture::Grey(bytes) => Texels::Words(self.words(what, bytes, 1)?),
            Picture::Rgb(bytes) => Texels::Words(self.words(what, bytes, 3)?),
            Picture::Rgba(bytes) => Texels::Words(self.words(what, bytes, 4)?),
            Picture::Texture(view) => {
                self.check_texture(what, view, PICTURE)?;
                Texels::View(view)
            }
        };
        self.place(self.recorded.place_picture, index, what, &texels)
    }

    fn place(&mut self, plan: Loaded, index: usize, what: &str, texels: &Texels) -> Result<(), EmbedError> {
        let Self { host, store, textures, .. } = self;
        let (to, number) = (&store.locate(None, TEXELS)?.gpu, &store.locate(None, INDEX)?.gpu);
        host.submit(&format!("taking {what}"), |gpu, encoder| {
            gpu.queue().write_buffer(number, 0, bytes(&[index as u32]));
            match (texels, &textures) {
                (Texels::Words(words), _) => gpu.queue().write_buffer(to, 0, bytes(words)),
                (Texels::View(view), Some(textures)) => textures.record_read(gpu, encoder, view, to),
                (Texels::View(_), None) => {}
            }
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            let count = store.plan(plan).commands().len();
            store.encode(&mut pass, plan, 0..count);
        })?;
        Ok(())
    }

    /// Bytes of a picture as RGBA8 texels; one channel is grey.
    fn words(&self, what: &str, bytes: &[u8], channels: usize) -> Result<Vec<u32>, EmbedError> {
        let (width, height) = (self.setup.picture.width, self.setup.picture.height);
        let expected = width * height * channels;
        if bytes.len() != expected {
            let (what, found) = (what.to_owned(), bytes.len());
            return Err(EmbedError::Bytes { what, found, expected, width, height, channels });
        }
        let texel = |b: &[u8]| match *b {
            [r, g, b, a] => [r, g, b, a],
            [r, g, b] => [r, g, b, 255],
            _ => [b[0], b[0], b[0], 255],
        };
        Ok(bytes.chunks_exact(channels).map(|bytes| u32::from_le_bytes(texel(bytes))).collect())
    }

    fn check_texture(
        &self,
        what: &str,
        view: &wgpu::TextureView,
        formats: (&[wgpu::TextureFormat], &'static str),
    ) -> Result<(), EmbedError> {
        let size = (self.setup.picture.width as u32, self.setup.picture.height as u32);
        check(what, view, formats, wgpu::TextureUsages::TEXTURE_BINDING, Some(size))
    }

    pub(super) fn require_place(&self, index: usize) -> Result<(), EmbedError> {
        self.require_prepared()?;
        let capacity = self.setup.capacity;
        if index < capacity { Ok(()) } else { Err(EmbedError::Index { index, capacity }) }
    }

    /// Writes one word of a field of the data set.
    fn write_word(&self, field: &str, index: usize, word: u32) -> Result<(), EmbedError> {
        let buffer = &self.store.locate(None, &format!("{TRAIN}.{field}"))?.gpu;
        self.host.guarded(&format!("writing {field} of picture {index}"), |gpu| {
            gpu.queue().write_buffer(buffer, index as u64 * 4, bytes(&[word]));
        })
    }

    /// Takes a picture out of the order of the pass at hand.
    fn leave_out(&mut self, index: usize) -> Result<(), EmbedError> {
        let place = self.order.as_ref().and_then(|order| order.iter().position(|&i| i as usize == index));
        if let Some(place) = place {
            self.write_word("order", place, PADDING)?;
            if let Some(order) = &mut self.order {
                order[place] = PADDING;
            }
        }
        for picture in self.cursor.pictures.iter_mut().filter(|i| **i as usize == index) {
            *picture = PADDING;
        }
        Ok(())
    }
}
