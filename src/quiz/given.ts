/** Exercises about numbers from a teacher, or from a seed: the same rules pose both. */

import type { z } from 'zod';
import type { Random } from '../../hw/base/random.js';
import { checkState } from '../explain/machine-state.js';
import { StateError } from '../explain/state-form.js';
import type { Difficulty, ExerciseKind, Posed, Topic } from './exercise.js';

/** Such a file, for errors. */
export const GIVEN_SAMPLE = '{"kind": "references", "policy": "lru", "frames": 3, "references": [1, 2, 3, 1]}';

/** A kind of exercise with a form for its numbers. */
export interface GivenKind extends ExerciseKind {
  /** Poses the exercise about the numbers of a file. @throws StateError with field, value and fix */
  readonly given: (value: unknown) => Posed;
}

/** Makes a kind of numbers of one form: their origin, and the exercise about them. */
export function givenKind<T>(
  topic: Topic,
  kind: string,
  form: {
    readonly schema: z.ZodType<T>;
    readonly draw: (random: Random, difficulty: Difficulty) => T;
    readonly pose: (numbers: T) => Posed;
  },
): GivenKind {
  const { schema, draw, pose } = form;
  return {
    topic,
    kind,
    make: (random, difficulty) => pose(draw(random, difficulty)),
    given: (value) => {
      try {
        return pose(checkState(schema, value, GIVEN_SAMPLE));
      } catch (error) {
        throw error instanceof RangeError ? new StateError(error.message) : error;
      }
    },
  };
}
