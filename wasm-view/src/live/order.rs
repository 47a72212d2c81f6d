//! A long list of serials in an order, in blocks: a serial comes and goes at the cost of its block, and both its place in the
//! list and the serial at a place are found fast.
//!
//! Blocks hold at most 1,024 serials and are halved beyond. Each has a name that stays when blocks before it come and go; of
//! each serial the name of its block is kept (`homes`, four bytes), so that it is found without knowing what its row was
//! sorted by. Where blocks begin in the list is counted once after a round of changes: ten million rows are some ten thousand
//! blocks.

/// The most serials of a block.
const BLOCK: usize = 1_024;
const NOWHERE: u32 = u32::MAX;

/// Serials in an order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    blocks: Vec<Vec<u32>>,
    /// The name of each block.
    names: Vec<u32>,
    /// The block of each name.
    at: Vec<u32>,
    /// The name of each serial's block.
    homes: Vec<u32>,
    /// Serials up to and including each block.
    ends: Vec<usize>,
}

impl Order {
    /// A list that is in order.
    pub(super) fn new(serials: &[u32]) -> Self {
        let mut order = Self::default();
        for chunk in serials.chunks(BLOCK * 3 / 4) {
            let name = order.blocks.len() as u32;
            order.blocks.push(chunk.to_vec());
            order.names.push(name);
            order.at.push(name);
            chunk.iter().for_each(|&serial| order.set_home(serial, name));
        }
        order.count();
        order
    }

    /// How many there are, as of the last count.
    pub(super) fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The serial at a place.
    pub(super) fn get(&self, place: usize) -> Option<u32> {
        let block = self.ends.partition_point(|&end| end <= place);
        let start = if block == 0 { 0 } else { self.ends[block - 1] };
        self.blocks.get(block)?.get(place - start).copied()
    }

    /// The place of a serial.
    pub(super) fn place(&self, serial: u32) -> Option<usize> {
        let block = self.block_of(serial)?;
        let start = if block == 0 { 0 } else { self.ends[block - 1] };
        Some(start + self.blocks[block].iter().position(|&other| other == serial)?)
    }

    fn block_of(&self, serial: u32) -> Option<usize> {
        let name = self.homes.get(serial as usize).copied().filter(|&name| name != NOWHERE)?;
        Some(self.at[name as usize] as usize)
    }

    /// Takes a serial out, if it is there.
    pub(super) fn remove(&mut self, serial: u32) {
        let Some(block) = self.block_of(serial) else { return };
        self.homes[serial as usize] = NOWHERE;
        let serials = &mut self.blocks[block];
        if let Some(place) = serials.iter().position(|&other| other == serial) {
            serials.remove(place);
        }
        if serials.is_empty() {
            // The name is not used again; a list that is made anew begins with few.
            self.blocks.remove(block);
            self.names.remove(block);
            self.renamed(block);
        }
    }

    /// Puts a serial where it belongs; `is_before` says whether one of the list stands before it.
    pub(super) fn insert(&mut self, serial: u32, is_before: &dyn Fn(u32) -> bool) {
        if self.blocks.is_empty() {
            self.blocks.push(Vec::new());
            self.names.push(self.at.len() as u32);
            self.at.push(0);
        }
        let after = self.blocks.partition_point(|block| block.first().is_some_and(|&first| is_before(first)));
        let mut block = after.saturating_sub(1);
        let mut place = self.blocks[block].partition_point(|&other| is_before(other));
        if self.blocks[block].len() >= BLOCK {
            // At the end of the list rows keep coming: the full block stays full.
            let half = if place == BLOCK && block + 1 == self.blocks.len() { BLOCK } else { BLOCK / 2 };
            let tail = self.blocks[block].split_off(half);
            let name = self.at.len() as u32;
            self.at.push(0);
            tail.iter().for_each(|&moved| self.homes[moved as usize] = name);
            self.blocks.insert(block + 1, tail);
            self.names.insert(block + 1, name);
            self.renamed(block + 1);
            if place >= half {
                (block, place) = (block + 1, place - half);
            }
        }
        self.blocks[block].insert(place, serial);
        self.set_home(serial, self.names[block]);
    }

    fn set_home(&mut self, serial: u32, name: u32) {
        if self.homes.len() <= serial as usize {
            self.homes.resize(serial as usize + 1, NOWHERE);
        }
        self.homes[serial as usize] = name;
    }

    /// Blocks from this one on stand elsewhere now.
    fn renamed(&mut self, first: usize) {
        for (block, &name) in self.names.iter().enumerate().skip(first) {
            self.at[name as usize] = block as u32;
        }
    }

    /// Counts where blocks begin: after a round of changes, before places are asked for.
    pub(super) fn count(&mut self) {
        let mut end = 0;
        self.ends.clear();
        self.ends.extend(self.blocks.iter().map(|block| {
            end += block.len();
            end
        }));
    }
}
