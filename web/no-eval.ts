/** The page's content security policy allows no code from strings; zod would try, and is told before it is used. */

import { z } from 'zod';

z.config({ jitless: true });
