import * as newest from 'ai';
import * as oldest from 'ai-oldest';
import * as six from 'ai-v6';
import { local } from '../../../providers/ai-sdk/index.ts';
import type { LocalProvider } from '../../../providers/ai-sdk/index.ts';
import { local as localV3 } from '../../../providers/ai-sdk/v3/index.ts';
import { describeThroughSdk } from '../../contract/through-sdk.ts';
import type { Sdk } from '../../contract/through-sdk.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

// Releases differ in types that the suite does not touch.
describeThroughSdk('ai 7, newest', newest, local);
describeThroughSdk('ai 7.0.77', oldest as unknown as Sdk, local);
describeThroughSdk('ai 6, version 3', six as unknown as Sdk, localV3 as unknown as LocalProvider);
