/** What course.json holds: in a file of its own, since its validator is loaded only when a project is graded. */

import { z } from 'zod';
import { COURSE_MACHINES } from './engine/machines.js';

export const CourseSettings = z.strictObject({ machine: z.enum(COURSE_MACHINES) });
